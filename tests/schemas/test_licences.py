"""Licences as people write them, and what they ask for together."""

import pytest

from schemas.licences import identifier_of, terms_of


@pytest.mark.parametrize(
    ("written", "identifier"),
    [
        ("CC BY-SA 4.0", "cc-by-sa-4.0"),
        ("cc_by_nc_sa_4.0", "cc-by-nc-sa-4.0"),
        ("Creative Commons Attribution-ShareAlike 4.0 International", "cc-by-sa-4.0"),
        ("Attribution-NonCommercial 4.0", "other"),
        ("CC0-1.0", "cc0-1.0"),
        ("MIT License", "mit"),
        ("Apache License 2.0", "apache-2.0"),
        ("All rights reserved", "other"),
        ("", "other"),
    ],
)
def test_identifiers(written, identifier):
    assert identifier_of(written) == identifier


def test_what_licences_ask_for():
    terms = terms_of(["CC BY-NC-SA 4.0", "CC BY 4.0", "GPL-3.0", "CC BY-ND 4.0", "visa of Sandra"])
    assert terms.share_alike == ("CC BY-NC-SA 4.0", "GPL-3.0")
    assert terms.non_commercial == ("CC BY-NC-SA 4.0",)
    assert terms.no_derivatives == ("CC BY-ND 4.0",)
    assert terms.identifier == "other" and not terms.unknown


@pytest.mark.parametrize(
    ("written", "share_alike", "non_commercial"),
    [
        ("CC BY-NC4.0", False, True),
        ("CC-BY-SA4.0", True, False),
        ("CC BYNCSA 4.0", True, True),
        ("GPLv3", True, False),
        ("AGPLv3", True, False),
        ("not for commercial use", False, True),
        ("research use only", False, True),
        ("Public Domain", False, False),
    ],
)
def test_spellings_that_leave_out_blanks(written, share_alike, non_commercial):
    terms = terms_of([written])
    assert bool(terms.share_alike) == share_alike
    assert bool(terms.non_commercial) == non_commercial
    assert written != "Public Domain" or terms.identifier == "other"


@pytest.mark.parametrize("licences", [[], [None], ["MIT", None], ["MIT", " "]])
def test_where_nothing_is_stated_nothing_is_granted(licences):
    assert terms_of(licences).unknown
    assert terms_of(licences).identifier == "other"

"""Writes a config as YAML with the documentation of each field as a comment above it."""

import textwrap
from typing import Any

from pipeline.inputs.yaml_text import dump_yaml
from schemas.config import Config

_WIDTH = 110


def dump_commented(config: Config) -> str:
    """Returns YAML that `load_yaml` reads back to the dumped config.

    Comments come from the docstrings of the fields, for a group of fields without one from the docstring of its class.
    """
    schema = type(config).model_json_schema()
    return "".join(_lines(config.model_dump(mode="json"), schema, schema["$defs"], ""))


def _lines(values: dict[str, Any], schema: dict[str, Any], definitions: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for name, value in values.items():
        field = schema["properties"][name]
        group = definitions.get(field.get("$ref", "").rpartition("/")[2], {})
        # Only the first paragraph of a class: the others tell of its code.
        text = field.get("description") or group.get("description", "").partition("\n\n")[0]
        wrapped = textwrap.wrap(" ".join(text.split()), _WIDTH - len(indent))
        lines += [f"{indent}# {line}\n" for line in wrapped]
        if group:
            lines += [f"{indent}{name}:\n", *_lines(value, group, definitions, f"{indent}  ")]
        else:
            lines.append(textwrap.indent(dump_yaml({name: value}), indent))
    return lines

"""Reads and writes YAML 1.2: `1e-5` is a number, `on` and `2026-01-01` are strings, a repeated key is an error.

PyYAML implements version 1.1, in which `1e-5` is a string, since it has no decimal point.
"""

import re
from typing import Any

import yaml

_CORE = {
    "null": (r"~|null|Null|NULL|", "~nN\0"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
}
"""Pattern of the plain scalars of each tag (YAML 1.2.2, section 10.3.2), and the characters they may begin with."""


class YamlError(ValueError):
    """A text is not YAML, or uses unsupported features. The message is one line with the position."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: list[Any] = []
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is repeated", key_node.start_mark)
            seen.append(key)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        text = self.construct_scalar(node).lower()
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers: dict = {}


for _class in (_Loader, _Dumper):
    for _tag, (_pattern, _first) in _CORE.items():
        _characters = ["" if character == "\0" else character for character in _first]
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _characters)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def load_yaml(text: str) -> Any:
    """Returns the value of a YAML text. Raises YamlError."""
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise YamlError(f"{place}{error.problem or 'not YAML'}") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        reason = str(error).partition("\n")[0] if not isinstance(error, RecursionError) else "nested too deeply"
        raise YamlError(reason or type(error).__name__) from None


def dump_yaml(value: Any) -> str:
    """Returns a YAML text that `load_yaml` reads back to the same value."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False)

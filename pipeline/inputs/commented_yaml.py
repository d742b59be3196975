"""Writes a config as YAML with the documentation of each field as a comment above it."""

import ast
import inspect
import textwrap
from dataclasses import is_dataclass
from typing import Any

from pipeline.inputs.yaml_text import dump_yaml
from schemas.config import Config

_WIDTH = 110


def dump_commented(config: Config) -> str:
    """Returns YAML that `load_yaml` reads back to the dumped config.

    Comments come from the docstrings of the fields, for a group of fields without one from the docstring of its class.
    """
    return "".join(_lines(config, config.model_dump(mode="json"), ""))


def _lines(config: Any, values: dict[str, Any], indent: str) -> list[str]:
    lines = []
    documented = _field_docstrings(type(config))
    for name, value in values.items():
        field = getattr(config, name)
        is_group = isinstance(field, Config) or is_dataclass(field)
        text = documented.get(name) or ((inspect.getdoc(type(field)) or "").partition("\n\n")[0] if is_group else "")
        wrapped = textwrap.wrap(" ".join(text.split()), _WIDTH - len(indent))
        lines += [f"{indent}# {line}\n" for line in wrapped]
        if is_group:
            lines += [f"{indent}{name}:\n", *_lines(field, value, f"{indent}  ")]
        else:
            lines.append(textwrap.indent(dump_yaml({name: value}), indent))
    return lines


def _field_docstrings(group: type) -> dict[str, str]:
    """Returns the docstrings below the fields of a class and its bases.

    They are read from the source here, since pydantic's `use_attribute_docstrings` would slow down every command.
    """
    found: dict[str, str] = {}
    for base in reversed(group.__mro__[: -1 if not issubclass(group, Config) else group.__mro__.index(Config)]):
        try:
            (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        except OSError:  # a class that was created by `create_model` has no source
            continue
        assert isinstance(definition, ast.ClassDef)
        for field, text in zip(definition.body, definition.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                found[field.target.id] = str(ast.literal_eval(text.value))
    return found

"""click in two languages: help texts and usage errors in the language asked for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from kpixl.texts import LANGUAGES, Text, asked_language, language, say

_USAGE: Text = ("用法：", "Usage: ")
_OPTIONS: Text = ("选项", "Options")
_COMMANDS: Text = ("命令", "Commands")
_LANG_HELP: Text = ("界面语言，默认中文。", "Language of messages; Chinese by default.")
_HELP_HELP: Text = ("显示本帮助。", "Show this message and exit.")
_SEE: Text = ("查看帮助：{command}", "For help, type: {command}")
_NO_OPTION: Text = ("没有选项 {name}。", "There is no option {name}.")
_NO_COMMAND: Text = ("没有命令 {name}。", "There is no command {name}.")
_PATH_ALONE: Text = (
    "kpixl 之后要先写命令。汇总收回的文件：kpixl consolidate {path} -o 汇总.yaml；只检查：kpixl check {path}",
    "A command comes first. To consolidate returned files: kpixl consolidate {path} -o all.yaml; to check them only: "
    "kpixl check {path}",
)
_MEANT: Text = ("是否指 {names}？", "Did you mean {names}?")
_MISSING: Text = ("缺少参数 {name}。", "{name} is missing.")
_BAD: Text = ("参数 {name} 有误：{reason}", "{name} is wrong: {reason}")
_WANTED: dict[type[click.ParamType[Any]], Text] = {
    click.DateTime: (
        '请写成 2026-11-20 或 "2026-11-20 17:00"。',
        'write it like 2026-11-20 or "2026-11-20 17:00".',
    ),
    click.types.IntParamType: ("请填整数，例如 2026。", "write a whole number such as 2026."),
    click.Choice: ("请从 {items} 中选一个。", "choose one of {items}."),
}
_REQUIRED: Text = ("[必填]", "[required]")
_ANY_OPTIONS: Text = ("[选项]", "[OPTIONS]")
_ANY_COMMAND: Text = ("命令 [参数]...", "COMMAND [ARGS]...")
_NO_VALUE: Text = ("选项 {name} 需要一个值。", "The option {name} needs a value.")


def lang_of(ctx: click.Context) -> str:
    """Return the language of this run."""
    return language(ctx.meta.get("kpixl.lang"))


def _remember(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value:
        ctx.meta["kpixl.lang"] = value


class Option(click.Option):
    """An option whose help is a Text, or a function that makes one when it is asked for."""

    def __init__(self, *args: Any, text: Text | Callable[[], Text] = ("", ""), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.text = text

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        text = self.text() if callable(self.text) else self.text
        self.help = say(text, lang_of(ctx)) or self.help
        record = super().get_help_record(ctx)
        if record is None or not self.required:
            return record
        return record[0], record[1].replace("[required]", say(_REQUIRED, lang_of(ctx)))


def option(*names: str, text: Text | Callable[[], Text], **kwargs: Any) -> Callable[[Any], Any]:
    """Declare an option with help in both languages."""
    return click.option(*names, cls=Option, text=text, **kwargs)


# --- bounds on what is read ---------------------------------------------------------------------


def _limits_help() -> Text:
    from kpixl.readers.limits import default_setting, names

    known = ", ".join(map(default_setting, names().values()))
    return (
        f"更改读取的上限，可以多次给出。默认：{known}。",
        f"Change a bound on what is read, again and again. {known}.",
    )


def _limits(ctx: click.Context, _param: click.Parameter, settings: tuple[str, ...]) -> Any:
    from kpixl.readers.limits import LimitError, with_settings

    try:
        return with_settings(settings)
    except LimitError as error:
        raise click.BadParameter(error.message(lang_of(ctx))) from error


limit_option = option(
    "--limit", "limits", metavar="NAME=VALUE", multiple=True, callback=_limits, is_eager=False, text=_limits_help
)
"""Decorate a command that reads files: `limits` is then Limits."""


def _remember_folder(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
    if value is not None:
        ctx.meta["kpixl.folder"] = value


folder_option = option(
    "-C",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    expose_value=False,
    callback=_remember_folder,
    text=("收表文件夹，默认为当前文件夹。", "The collection folder; by default this folder."),
)
"""Decorate a command that finds its paths in a collection folder."""


class _Spoken(click.Command):
    """What commands and groups share: texts chosen when they are shown, and `--lang` everywhere."""

    text: Text

    def __init__(self, *args: Any, text: Text = ("", ""), **kwargs: Any) -> None:
        self.text = text
        kwargs.setdefault("context_settings", {"help_option_names": ["--help", "-h"]})
        super().__init__(*args, **kwargs)
        self.params.append(
            Option(
                ["--lang"],
                type=click.Choice(LANGUAGES),
                is_eager=True,
                expose_value=False,
                callback=_remember,
                text=_LANG_HELP,
            )
        )

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = say(_HELP_HELP, lang_of(ctx))
        return found

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix=say(_USAGE, lang_of(ctx)))

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        pieces = super().collect_usage_pieces(ctx)
        command = say(_ANY_COMMAND, lang_of(ctx))
        words = {
            "[OPTIONS]": say(_ANY_OPTIONS, lang_of(ctx)),
            "COMMAND [ARGS]...": command,
            "[COMMAND] [ARGS]...": f"[{command}]",
        }
        return [words.get(piece, piece) for piece in pieces]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(say(self.text, lang_of(ctx)))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = [r for r in (p.get_help_record(ctx) for p in self.get_params(ctx)) if r is not None]
        if records:
            with formatter.section(say(_OPTIONS, lang_of(ctx))):
                formatter.write_dl(records)


class Command(_Spoken):
    """A command with help in both languages."""


class NoCommandError(click.UsageError):
    """The word in the place of a command is none."""

    def __init__(self, name: str, ctx: click.Context) -> None:
        super().__init__(name, ctx)
        self.name = name


class CommandGroup(_Spoken, click.Group):
    """A group with help in both languages; commands are listed in the order of use."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise NoCommandError(args[0], ctx)
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        rows = [
            (name, say(command.text, lang_of(ctx)).split("\n")[0])
            for name, command in self.commands.items()
            if isinstance(command, _Spoken)
        ]
        with formatter.section(say(_COMMANDS, lang_of(ctx))):
            formatter.write_dl(rows)


def usage_error(error: click.UsageError, arguments: Sequence[str]) -> str:
    """Return in the right language what is wrong with a command line."""
    ctx = error.ctx
    lang = asked_language(arguments)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    lines = [_reason(error, lang)]
    if ctx is not None:
        lines.append(say(_SEE, lang, command=f"{ctx.command_path} --help"))
    return "\n".join(lines)


def _reason(error: click.UsageError, lang: str) -> str:
    if isinstance(error, click.NoSuchOption):
        text = say(_NO_OPTION, lang, name=error.option_name)
        near = ", ".join(error.possibilities or ())
        return f"{text} {say(_MEANT, lang, names=near)}" if near else text
    if isinstance(error, click.MissingParameter) and error.param is not None:
        # click puts brackets around what may be left out: here it may not, as this is no collection folder.
        return say(_MISSING, lang, name=_name(error.param).replace("[", "").replace("]", ""))
    if isinstance(error, click.BadParameter) and error.param is not None:
        return say(_BAD, lang, name=_name(error.param), reason=_wanted(error.param.type, lang) or error.message)
    if isinstance(error, click.BadOptionUsage):
        return say(_NO_VALUE, lang, name=error.option_name)
    if isinstance(error, NoCommandError):
        name = error.name
        if any(mark in name for mark in "/\\.") or Path(name).exists():
            return say(_PATH_ALONE, lang, path=name)
        known = list(error.ctx.command.commands) if error.ctx and isinstance(error.ctx.command, click.Group) else []
        near = ", ".join(difflib.get_close_matches(name, known, 3))
        text = say(_NO_COMMAND, lang, name=name)
        return f"{text} {say(_MEANT, lang, names=near)}" if near else text
    return error.format_message()


def _wanted(kind: click.ParamType[Any], lang: str) -> str:
    """Return what an option takes whose type click checks by itself; "" where kpixl says what is wrong."""
    items = ", ".join(kind.choices) if isinstance(kind, click.Choice) else ""
    return say(_WANTED.get(type(kind), ("", "")), lang, items=items)


def _name(param: click.Parameter) -> str:
    return (
        "/".join(param.opts)
        if isinstance(param, click.Option)
        else param.make_metavar(click.Context(click.Command("")))
    )

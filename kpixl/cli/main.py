"""The command line: parse, call, print; the commands are in the modules beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from kpixl import interrupts
from kpixl.cli.account import trace, verify
from kpixl.cli.check import check, rules
from kpixl.cli.collect import consolidate, status
from kpixl.cli.compare import diff
from kpixl.cli.console import print_problems, say_error
from kpixl.cli.decide import decide, exclude
from kpixl.cli.export import export
from kpixl.cli.forms import forms
from kpixl.cli.help import Command, CommandGroup, NoCommandError, Option, folder_option, option, usage_error
from kpixl.cli.learn import learn, try_definition
from kpixl.cli.letters import letters
from kpixl.cli.prepare import derive, init, rollover, roster, schema, template
from kpixl.cli.publish import publish, summary
from kpixl.cli.shared import PATH
from kpixl.problems import KpixlError
from kpixl.texts import asked_language
from kpixl.version import __version__

KPIXL_ERROR, USAGE_ERROR = 3, 2


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code: 0 clean, 1 problems, 2 usage, 3 cannot go on."""
    try:
        result = cli.main(list(arguments), prog_name="kpixl", standalone_mode=False)
    except click.UsageError as error:
        say_error(usage_error(error, arguments))
        return USAGE_ERROR
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        say_error(interrupts.text_of(arguments))
        return interrupts.EXIT_CODE
    except KpixlError as error:
        print_problems(error.problems, asked_language(arguments))
        return KPIXL_ERROR
    return result if isinstance(result, int) else 0


@click.group(
    cls=CommandGroup,
    text=(
        "项目支出绩效目标：生成填报工作簿，汇总收回的文件，生成汇总表和公开页面。",
        "Performance targets: make the workbooks to fill in, consolidate what comes back, make summary and page.",
    ),
)
@click.version_option(
    __version__, message="%(prog)s %(version)s", cls=Option, text=("显示版本。", "Show the version and exit.")
)
@option(
    "--forms-dir",
    "forms_dirs",
    type=PATH,
    multiple=True,
    text=("另外的表式文件夹（也可用环境变量 KPIXL_FORMS）。", "A further folder of form definitions (or KPIXL_FORMS)."),
)
@folder_option
@click.pass_context
def cli(ctx: click.Context, forms_dirs: tuple[Path, ...]) -> None:
    ctx.obj = forms_dirs


for _command in (
    init,
    roster,
    derive,
    template,
    consolidate,
    check,
    status,
    letters,
    diff,
    trace,
    verify,
    export,
    rules,
    summary,
    decide,
    exclude,
    publish,
    rollover,
    forms,
    schema,
):  # in the order of the help
    cli.add_command(_command)
for _command in (learn, try_definition):
    forms.add_command(_command)


@cli.command(cls=Command, text=("显示一个命令的帮助。", "Show the help of a command."))
@click.argument("command", nargs=-1, metavar="[COMMAND]")
@click.pass_context
def help(ctx: click.Context, command: tuple[str, ...]) -> int:
    assert ctx.parent is not None
    inner = ctx.parent
    for name in command:
        found = inner.command.get_command(inner, name) if isinstance(inner.command, click.Group) else None
        if found is None:
            raise NoCommandError(name, inner)
        inner = click.Context(found, parent=inner, info_name=name)
    click.echo(inner.get_help())
    return 0

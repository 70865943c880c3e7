"""The `kpixl` command."""

import sys


def main() -> None:
    """Run the command line; `--version` is answered before anything else is imported."""
    if sys.argv[1:] == ["--version"]:
        from kpixl.version import __version__

        print(f"kpixl {__version__}")
        return
    from kpixl import interrupts

    interrupts.watch(sys.argv[1:])  # before what takes long to import
    try:
        from kpixl.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        print(interrupts.text_of(sys.argv[1:]), file=sys.stderr)
        code = interrupts.EXIT_CODE
    interrupts.finish(code)


if __name__ == "__main__":
    main()

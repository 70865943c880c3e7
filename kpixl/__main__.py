"""The `kpixl` command."""

import sys


def main() -> None:
    """Run the command line; `--version` is answered before anything else is imported."""
    if sys.argv[1:] == ["--version"]:
        from kpixl.version import __version__

        print(f"kpixl {__version__}")
        return
    from kpixl.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

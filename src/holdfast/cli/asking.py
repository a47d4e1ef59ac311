"""Asking whoever sits at the terminal to type a name before something is done that can't be undone."""

import sys

from holdfast.cli.output import CommandError, ExitCode


def ask(question: str, expected: str, not_done: str) -> None:
    """Return once `expected` was typed. `not_done`: what didn't happen otherwise, as `not approved`. Raises CommandError then."""
    if not sys.stdin.isatty():
        raise CommandError(f"{not_done}: nobody was asked, since this is no terminal; add --yes to go ahead. Nothing was changed.")
    if input(f"{question}: ").strip() != expected:
        raise CommandError(f"{not_done}: that is another name. Nothing was changed.", ExitCode.NOT_SO)

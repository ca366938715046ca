"""Groups of commands where the name of something can stand in a command's place: `webfarer eval world`."""

from typing import Any

from typer.core import TyperGroup


def naming(command: str) -> type[TyperGroup]:
    """Return a group that takes a word which names no command of it for the first argument of `command`."""

    class Naming(TyperGroup):
        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if args and args[0] not in self.commands:
                args = [command, *args]
            return super().resolve_command(ctx, args)

    return Naming

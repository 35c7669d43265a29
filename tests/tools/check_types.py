"""Check the types of the static site's modules: python -m tests.tools.check_types."""

import sys

from fashion_ddpm.web.errors import WebError
from fashion_ddpm.web.npm_packages import WEB
from tests.tools.node import check_types


def main() -> int:
    """Print TypeScript's complaints; return how many projects have some."""
    try:
        complaints = [check_types(project) for project in sorted(WEB.glob("tsconfig*.json"))]
    except WebError as error:  # TypeScript cannot be installed
        complaints = [f"{error}\n"]
    print(*complaints, sep="", end="", file=sys.stderr)
    return sum(map(bool, complaints))


if __name__ == "__main__":
    sys.exit(main())

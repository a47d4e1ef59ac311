"""Run the cluster of one region of the lab."""

import argparse
import asyncio
import sys
from pathlib import Path

from holdfast.lab.cluster.configuration import ConfigurationError, load
from holdfast.lab.cluster.forks import ZygoteLostError
from holdfast.lab.cluster.region import RegionCluster


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal; 1 with a sentence when it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m holdfast.lab.cluster", description="Serve one region's Kubernetes API and run its applications."
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    path = parser.parse_args(arguments).config
    try:
        configuration = load(path)
        cluster = RegionCluster(configuration)
        asyncio.run(cluster.run(lambda: print(f"ready {configuration.region}", flush=True)))
    except (ConfigurationError, ZygoteLostError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"the cluster of {path} cannot run: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

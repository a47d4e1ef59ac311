"""The cluster's configuration file as types; the format is described at the top of the package."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.lab.application.capacity import Capacity, capacity_of

NO_PORTS = (0, -1)
"""First and last of none."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CapacityOverride(_Part):
    """What one instance takes, where the default does not fit."""

    at_once: int = Field(ge=1)
    per_second: float = Field(gt=0)


class FunctionZone(_Part):
    """Where a function's instances listen in one zone, and where the cluster, which stands in none, reaches them."""

    zone: str
    address: str
    seen_as: str
    ports: tuple[int, int]
    fresh_ports: tuple[int, int] = NO_PORTS


class ZoneConfiguration(_Part):
    """One zone: where it says what runs in it, and how addresses look from there (first bytes → first bytes)."""

    listen: tuple[str, int]
    routes: dict[str, str] = Field(default_factory=dict)


class FunctionConfiguration(_Part):
    """One function's Deployment and where its instances listen: in zones, or all at one address."""

    deployment: str | None = None
    replicas: int = Field(ge=0)
    image: str
    address: str = ""
    ports: tuple[int, int] = NO_PORTS
    fresh_ports: tuple[int, int] = NO_PORTS
    zones: tuple[FunctionZone, ...] = ()
    capacity: CapacityOverride | None = None


class ClusterConfiguration(_Part):
    """Everything that a cluster is started with."""

    region: str
    listen: tuple[str, int]
    token_file: Path
    namespace: str
    directory: Path
    config_map: str
    settings: dict[str, str]
    files: dict[str, Path] = Field(default_factory=dict)
    functions: dict[str, FunctionConfiguration]
    zones: dict[str, ZoneConfiguration] = Field(default_factory=dict)
    load_balancer: tuple[str, int] | None = None

    def capacity(self, function: str) -> Capacity:
        """What one instance of the function takes."""
        override = self.functions[function].capacity
        return Capacity(override.at_once, override.per_second) if override else capacity_of(function)


class ConfigurationError(ValueError):
    """The configuration cannot be used; the message says where and why."""


def load(path: Path) -> ClusterConfiguration:
    """Read the file. Raises ConfigurationError."""
    try:
        return ClusterConfiguration.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise ConfigurationError(f"{path}: {places}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path}: not JSON: {error}") from error

"""One step of a failover goes wrong on real servers, and a named person is asked: by what is typed, and by what status shows.

Nothing in Holdfast is broken for it: what the step needs is, by commands that work on a real installation too.
"""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from holdfast.lab import storage_servers
from holdfast.plan.bindings import Bindings, BucketBinding
from lab.lab_rig import folder
from lab.person import Person, asks, is_in, is_well, served_from

pytestmark = [pytest.mark.alone, pytest.mark.prove, pytest.mark.timeout(900)]

HOME, AWAY = "eu-west-1", "eu-central-1"
RECORDING = "recordings/of-a-guest"


def waiting(now: Mapping[str, Any], step: str) -> dict[str, str]:
    """What a person can say about a step that waits, each with its command; empty while it doesn't wait."""
    steps = now["incident"]["steps"] if now["incident"] is not None else []
    return {
        choice["choice"]: choice["command"]
        for one in steps
        if one["id"] == step and one["state"] == "needs-person"
        for choice in one["choices"]
    }


def state_of(now: Mapping[str, Any], step: str) -> str:
    return str(next(one["state"] for one in now["incident"]["steps"] if one["id"] == step))


def region_lost(person: Person) -> dict[str, Any]:
    """The region is gone, and people are asked."""
    person.sees(is_well, "all is well", 90.0)
    person.insists("lab", "cut", HOME)
    return person.sees(asks, "people are asked", 120.0)


class Storage:
    """The bucket of a region, as an administrator of its storage reaches it: over S3, with nothing of Holdfast in between."""

    def __init__(self, person: Person, region: str) -> None:
        bindings = Bindings.model_validate_json((person.home / f"var/lab/bindings.{region}.json").read_text())
        binding = bindings.components["storage"][region]
        assert isinstance(binding, BucketBinding)
        self.bucket = binding.bucket
        self.client = boto3.client(
            "s3",
            endpoint_url=binding.endpoint,
            region_name=binding.region,
            aws_access_key_id=binding.access_key,
            aws_secret_access_key=binding.secret_key_file.read_text(),
        )

    def names(self) -> set[str]:
        return {found["Key"] for found in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", ())}

    def deleted(self) -> set[str]:
        """Keys that a deletion hides: their versions are there."""
        return {
            found["Key"] for found in self.client.list_object_versions(Bucket=self.bucket).get("DeleteMarkers", ()) if found["IsLatest"]
        }


@contextmanager
def standing_still(person: Person, part: str) -> Iterator[None]:
    """A server of the lab answers nothing and takes nothing."""
    pid = next(int(one["pid"]) for one in person.reads("lab", "status")["parts"] if one["name"] == part)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.skipif(storage_servers.installed() is None, reason="versitygw is not installed: `make storage` builds it where Go is")
def test_a_copy_in_which_objects_were_deleted_is_refused_and_comes_back_out_of_its_own_versions() -> None:
    with folder() as home:
        person = Person(home)
        with (
            person.has_lab("--profile", "fast", "--storage", "versitygw"),
            person.keeps("controller", "run", person.plan, "--profile", "fast") as controller,
        ):
            away, at_home = Storage(person, AWAY), Storage(person, HOME)
            at_home.client.put_object(Bucket=at_home.bucket, Key=RECORDING, Body=b"a voice")
            person.sees(lambda _: RECORDING in away.names(), "the copy has the recording", 60.0)
            asked = region_lost(person)
            marker = f"holdfast/marker/{HOME}"
            for key in (marker, RECORDING):
                away.client.delete_object(Bucket=away.bucket, Key=key)
            assert away.deleted() >= {marker, RECORDING}
            person.approves(asked)

            now = person.follows(lambda now: waiting(now, "activate-bucket"), "the person is asked about the bucket", 120.0)
            told = waiting(now, "activate-bucket")
            assert set(told) >= {"retry", "other-way", "skip", "abort"}, told
            assert "restore-bucket" in person.does("status")
            assert now["incident"]["state"] == "needs-person"
            assert away.deleted() >= {marker, RECORDING}, "nothing is brought back before somebody says so"

            person.pastes(told["other-way"].replace("NAME", "ines-carvalho"))
            over = person.follows(is_in("recovered"), "the other region has taken over", 240.0)
            assert away.client.get_object(Bucket=away.bucket, Key=RECORDING)["Body"].read() == b"a voice"
            assert not away.deleted() & {marker, RECORDING}
            steps = ("restore-bucket", "activate-restored-bucket", "activate-bucket")
            assert {step: state_of(over, step) for step in steps} == dict.fromkeys(steps, "succeeded")
            person.sees(served_from(AWAY), "every function is served from there", 60.0)
            assert "goes the other way (restore-bucket, then activate-restored-bucket), said by ines-carvalho" in controller.text()


def test_where_the_plan_binds_no_other_way_the_named_person_chooses_and_what_the_plan_has_not_is_refused() -> None:
    with folder() as home:
        person = Person(home)
        with person.has_lab("--profile", "fast"), person.keeps("controller", "run", person.plan, "--profile", "fast"):
            asked = region_lost(person)
            with standing_still(person, "dns"):
                person.approves(asked)
                now = person.follows(lambda now: waiting(now, "switch-dns"), "the person is asked about the names", 240.0)
                told = waiting(now, "switch-dns")
                assert set(told) == {"retry", "skip", "done", "abort"}, told
                assert now["acting"][0]["command"].startswith("holdfast choose switch-dns retry --as ")
                refused = person.types("choose", "switch-dns", "other-way", "--as", "ines-carvalho")
                assert refused.returncode == 1
                assert "the plan binds no other way to it" in refused.stderr
                assert "needs a reason" in person.types("choose", "switch-dns", "skip", "--as", "ines-carvalho").stderr
                assert waiting(person.reads("status"), "switch-dns") == told, "what was refused changed nothing"
            person.pastes(now["acting"][0]["command"])
            person.follows(is_in("recovered"), "the other region has taken over", 240.0)
            person.sees(served_from(AWAY), "every function is served from there", 60.0)

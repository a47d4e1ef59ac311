"""What every AudienceSource must do. A subclass says how its directory is filled, spoilt and taken away."""

import asyncio
from collections.abc import Sequence

import pytest

from contract.suite import Suite
from holdfast.communications.recipients import Member
from holdfast.ports.audience import AudienceSource, DirectoryUnreadableError

MEMBERS = (
    {"id": "h-1", "name": "Hôtel Ünal", "email": "desk@unal.example", "phone": "+353 20 912 0200"},
    {"id": "h-2", "name": "Inn → 2", "email": "", "phone": "+4930123456"},
)
SECRET_ADDRESS = "desk@unal.example"


class Directory:
    """One audience's directory."""

    source: AudienceSource

    def hold(self, members: Sequence[dict[str, str]]) -> None:
        """From now on it names these."""
        raise AssertionError("a subclass fills the directory")

    def spoil(self) -> None:
        """What stands there is no list of members any more."""
        raise AssertionError("a subclass spoils the directory")

    def take_away(self) -> None:
        """There is no directory any more."""
        raise AssertionError("a subclass takes the directory away")


class AudienceSuite(Suite):
    port = AudienceSource

    @pytest.fixture
    def directory(self) -> Directory:
        raise AssertionError("a subclass provides the directory")

    def members(self, directory: Directory) -> tuple[Member, ...]:
        return asyncio.run(directory.source.members())

    def test_everybody_is_named_with_the_channels_that_reach_them_and_asking_again_says_the_same(self, directory: Directory) -> None:
        self.held(directory.source)
        directory.hold(MEMBERS)
        first, second = self.members(directory)
        assert (first.identifier, first.name, first.addresses["email"]) == ("h-1", "Hôtel Ünal", "desk@unal.example")
        assert (second.identifier, "email" in second.addresses, second.addresses["phone"]) == ("h-2", False, "+4930123456")
        assert self.members(directory) == (first, second)

    def test_who_was_taken_out_is_not_named_any_more_and_nobody_is_an_answer(self, directory: Directory) -> None:
        directory.hold(MEMBERS)
        directory.hold(MEMBERS[1:])
        assert [member.identifier for member in self.members(directory)] == ["h-2"]
        directory.hold(())
        assert self.members(directory) == ()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"id": "h-1", "email": "again@unal.example"},
            {"id": "me@unal.example", "email": "me@unal.example"},
            {"id": "h-3", "email": "nonsense"},
            {"id": "h-3", "phone": "0800-CALL"},
            {"id": "h-3"},
            {"id": "", "email": "a@unal.example"},
        ],
        ids=["an id twice", "an address as id", "no mail address", "no number", "no address at all", "no id"],
    )
    def test_one_member_that_cant_be_used_makes_the_whole_list_unusable(self, directory: Directory, wrong: dict[str, str]) -> None:
        directory.hold((*MEMBERS, wrong))
        with pytest.raises(DirectoryUnreadableError) as said:
            self.members(directory)
        assert str(said.value) and SECRET_ADDRESS not in str(said.value)

    def test_what_is_no_list_and_what_is_not_there_is_no_empty_audience(self, directory: Directory) -> None:
        directory.hold(MEMBERS)
        directory.spoil()
        with pytest.raises(DirectoryUnreadableError):
            self.members(directory)
        directory.take_away()
        with pytest.raises(DirectoryUnreadableError):
            self.members(directory)

"""The commands about viewers: whom the list is for, how a shared list is made, and profiles."""

from __future__ import annotations

import asyncio
from typing import get_args

from movietui.ask.conversation import Conversation
from movietui.ask.grammar import command, one_of
from movietui.data.language import tr
from movietui.data.problems import Problem
from movietui.formatting import text
from movietui.models.choices import WAYS, UnseenBy
from movietui.protocol.viewers import profile
from movietui.state.audience import Audience


@command("profile", "NAME", tr("list movies for this profile"))
async def profile_(talk: Conversation, rest: str) -> None:
    """Make the list for one viewer."""
    if not rest:
        raise talk.usage("profile")
    await talk.show_to(await talk.viewer(rest))
    await talk.list_movies()


@command("user", "ID", tr("list movies for this user of the dataset"))
async def user_(talk: Conversation, rest: str) -> None:
    """Make the list for a user of the dataset."""
    if not rest:
        raise talk.usage("user")
    await talk.show_to(await talk.viewer(f"user {rest}"))
    await talk.list_movies()


@command("viewers", "", tr("say the profiles, and for whom the list is"))
async def viewers(talk: Conversation, rest: str) -> None:
    """Say the profiles."""
    profiles = await asyncio.to_thread(talk.session.store.profiles)
    talk.say(*(f"{ref.label}, {text.plural(count, 'rating')}" for ref, count in profiles))
    if talk.session.opened is not None:
        users = tr("user 1 is a user of {dataset}", dataset=talk.session.opened["dataset"])
        talk.say(
            tr(
                "The list is for {viewers}; {users}; search NAME finds others.",
                viewers=text.enumerate_names(talk.names()),
                users=users,
            )
        )


@command("new", "NAME", tr("make a profile"))
async def new(talk: Conversation, rest: str) -> None:
    """Make a profile, and list movies for it."""
    talk.require_list()
    ref = await asyncio.to_thread(talk.session.store.create_profile, rest)
    await talk.session.look_at(ref)
    await talk.show_list(tr("Hello {profile}. rate movies that you know, or type interview.", profile=ref.label))


@command("rename", "NAME", tr("give the profile of the list another name"))
async def rename(talk: Conversation, rest: str) -> None:
    """Rename the profile that rates next."""
    talk.require_list()
    before = profile(talk.own_profile())
    after = await asyncio.to_thread(talk.session.store.rename_profile, before, rest)
    talk.session.rename(before, after)
    talk.say(tr("{old_name} is now {new_name}", old_name=before.id, new_name=after.id))


@command("delete", "NAME", tr("delete a profile; undo restores it"))
async def delete(talk: Conversation, rest: str) -> None:
    """Delete a profile."""
    viewer = await talk.viewer(rest)
    if viewer.kind != "profile":
        raise Problem(tr("Only profiles can be deleted."))
    talk.require_list()
    await talk.session.delete(viewer)
    await talk.show_list(tr("Deleted {profile} · undo restores it", profile=viewer.id))


@command("with", "NAME[, NAME]", tr("list movies for you and one to three others"))
async def with_(talk: Conversation, rest: str) -> None:
    """Make the list for several viewers."""
    talk.require_list()
    others = [await talk.viewer(name.strip()) for name in rest.split(",") if name.strip()]
    if not others:
        raise talk.usage("with")
    await talk.show_to(talk.session.audience.viewers[0], *others)
    await talk.list_movies()


@command("alone", "", tr("list movies for the first of you only"))
async def alone(talk: Conversation, rest: str) -> None:
    """Make the list for the first viewer."""
    talk.require_list()
    await talk.session.look_at(talk.session.audience.viewers[0])
    await talk.list_movies()


def _shared(talk: Conversation) -> Audience:
    """Return the audience. Raises ``Problem`` if it is one viewer."""
    if not talk.session.audience.together:
        raise Problem(tr("This needs a pair or group; with NAME makes one."))
    return talk.session.audience


@command("turn", "[NAME]", tr("in a pair or group: let the next, or this viewer, rate"))
async def turn(talk: Conversation, rest: str) -> None:
    """Let another viewer rate next."""
    audience = _shared(talk)
    if rest:
        viewer = await talk.viewer(rest)
        if viewer not in audience.viewers:
            raise Problem(tr("The list is not for {viewer}; with {viewer} changes that.", viewer=viewer.label))
        talk.session.audience = audience.rated_by(audience.viewers.index(viewer))
    else:
        talk.session.audience = audience.next_rater()
    talk.say(tr("The next rating is for {viewer}", viewer=talk.session.audience.rater.label))


@command("average", "", tr("in a pair or group: a step towards the average of all scores"))
async def average(talk: Conversation, rest: str) -> None:
    """Move the dial towards the average."""
    talk.session.audience = _shared(talk).leaning(-1)
    await talk.list_movies()


@command("misery", "", tr("in a pair or group: a step towards whoever would like it least"))
async def misery(talk: Conversation, rest: str) -> None:
    """Move the dial towards the least pleased viewer."""
    talk.session.audience = _shared(talk).leaning(1)
    await talk.list_movies()


@command("way", "[WAY]", tr("in a pair or group: combine the scores in another way: {ways}", ways=", ".join(WAYS)))
async def way(talk: Conversation, rest: str) -> None:
    """Combine the scores in another way."""
    audience, ways = _shared(talk), tuple(WAYS)
    steps = ways.index(one_of(rest, ways, tr("way"))) - ways.index(audience.way) if rest else 1
    talk.session.audience = audience = audience.next_way(steps)
    await talk.show_list(f"{audience.way}: {WAYS[audience.way]}")


@command("scale", "", tr("in a pair or group: count generous and strict viewers equally, or not"))
async def scale(talk: Conversation, rest: str) -> None:
    """Put the scores on the same scale, or in stars again."""
    talk.session.audience = _shared(talk).toggle_scale()
    await talk.list_movies()


@command("unseen", "[all|any|none]", tr("in a pair or group: movies unseen by all of you, by any, or seen or not"))
async def unseen(talk: Conversation, rest: str) -> None:
    """Include movies that some or all have seen, or leave them out."""
    audience, choices = _shared(talk), get_args(UnseenBy)
    wanted = one_of(rest, choices, tr("choice")) if rest else audience.next_unseen_by().unseen_by
    while audience.unseen_by != wanted:
        audience = audience.next_unseen_by()
    talk.session.audience = audience
    await talk.list_movies()

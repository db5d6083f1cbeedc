"""What the planner is told of clients, read from the same columns that the screen reads.

So a plan cannot know another state than the row it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backend.core.model import Identity
from backend.core.plan import PlanFacts
from backend.service.contact import is_living, is_unheard_yet
from backend.service.current import current_of, trusted_generations
from backend.service.fleet import columns_of
from backend.service.reach import ways_now
from backend.service.token_line import find_current
from backend.service.world import World
from backend.store.port import Transaction


def facts_of(tx: Transaction, world: World, identities: Sequence[Identity]) -> list[PlanFacts]:
    """Return the facts of these clients as of now, in their order.

    An agent that was away takes nobody for silent before it has listened for a while: they come back by heartbeat.
    """
    now = world.clock.now()
    columns = columns_of(tx, world, [identity.number for identity in identities])
    trusted = trusted_generations(tx.authorities.all())
    management = {cluster.name for cluster in tx.clusters.all() if cluster.is_management}
    found = []
    for identity in identities:
        index = columns.index_of(identity.number)
        if index is None:
            continue
        facts = columns.facts(index, now=now, agent_alive=True, agent_now=now)
        certificate = current_of(tx, identity.number, trusted, now)
        token, beat = find_current(tx, identity.number), tx.heartbeats.find(identity.number)
        found.append(
            PlanFacts(
                number=identity.number,
                facts=replace(facts, name=identity.name),  # the name itself, which also names it in a later call
                cluster=identity.cluster,
                is_management=identity.cluster in management,
                serial=0 if certificate is None else certificate.serial,
                token_id="" if token is None else token.id,
                certificate_lifetime=world.policy.client_lifetime if certificate is None else certificate.requested,
                token_lifetime=identity.token_lifetime,
                heartbeat_alive=is_living(beat, now) or is_unheard_yet(beat, world.watch.listening_since, now),
                login_file_path=identity.login_file_path,
                ways=ways_now(world.delivery, world.reach, identity, now),
            )
        )
    return found

"""The whole door of this room: the routes of the media and of the agents' desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.routing import Route

from engine.media.agents import Agents
from engine.media.callbacks import Callbacks
from engine.media.conversations import Conversations, Happened, InvitationOf, NameOf, nobody_named
from engine.media.deliveries import Deliveries
from engine.media.desk import Authorised, Desk, Earlier, Journey
from engine.media.gms import GmsChat
from engine.media.gms_client import GmsClient
from engine.media.gms_menus import Menu, Menus
from engine.media.gms_relay import GmsRelay
from engine.media.gms_services import GmsServices
from engine.media.interactions import InteractionStore
from engine.media.medium import Medium
from engine.media.opening import Opening, nine_to_five
from engine.media.places import Places
from engine.media.third_party import ThirdParty, TokenDoor
from engine.media.web_callback import CallbackList, WebCallback
from engine.media.web_chat import WebChat
from engine.media.webhook import Webhook


async def nowhere_else(_visit: str) -> Sequence[Mapping[str, Any]]:
    """Nothing is known of other visits."""
    return ()


def create_routes(
    store: InteractionStore,
    *,
    agents: Agents,
    happened: Happened,
    journey: Journey,
    earlier: Earlier = nowhere_else,
    invitation: InvitationOf,
    name: NameOf = nobody_named,
    authorised: Authorised,
    opening: Callable[[], Opening] = nine_to_five,
    number: str = "",
    menus: Mapping[str, Menu] | None = None,
    deliveries: Deliveries | None = None,
    gms: GmsClient | None = None,
    third_party: ThirdParty | None = None,
    places: Places | None = None,
) -> list[Route]:
    """Routes for a Starlette application; the caller closes the store after the last request.

    ``happened(visit_id, page_id, event_name, data)`` puts an event into a visit and may fail: it
    is repeated. ``journey(visit_id)`` gives the history events of a visit, ``earlier(visit_id)``
    the other visits of its visitor. ``invitation(visit_id, page_id)`` gives ``{"id", "strategy",
    "group", "message", "attach"}`` or None, and is the only source of attached data that is
    trusted. ``name(visit_id)`` is what the visit has said that its person is called.
    ``authorised(request)`` raises HTTPException.
    ``opening()`` says when visitors are called back, ``number`` whom they may call themselves,
    ``menus`` which services of GMS ask before they start something.
    ``deliveries`` go to the receiver of the webhook; whoever gives them runs them. With ``gms`` the
    interface of GMS is carried by that one elsewhere; the caller closes it, too.
    ``third_party`` is where an invitation to one leads, ``places`` how much one may have open.
    """
    conversations = Conversations(
        store, agents=agents, happened=happened, invitation=invitation, name=name, places=places
    )
    callbacks = Callbacks(conversations, opening)
    if gms is None:
        chat = GmsChat(conversations)
        asked = Menus(menus or {}, store.clock)
        services = GmsServices(chat, callbacks, authorised=authorised, menus=asked, number=number)
        spoken = [*chat.routes(), *services.routes()]
    else:
        spoken = GmsRelay(conversations, gms, authorised=authorised).routes()
    webhook = Webhook(conversations, deliveries or Deliveries(store, None))
    media: list[Medium] = [WebChat(conversations), WebCallback(callbacks), webhook]
    desk = Desk(conversations, journey=journey, earlier=earlier, authorised=authorised)
    calls = CallbackList(callbacks, authorised=authorised)
    spoken += [route for medium in media for route in medium.routes()]
    tokens = TokenDoor(third_party, invitation=invitation, clock=store.clock)
    return [*spoken, *tokens.routes(), *desk.routes(), *calls.routes()]

"""Where a connector's request really goes: the address is looked up once, judged, and then used as judged.

Against requests that are sent inward through us (server-side request forgery): only listed origins; the
host's addresses must all be public (a name may resolve to a loopback or a metadata address); the connection
goes to the judged address itself, so that a second look-up cannot answer differently.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

import httpx

from cat_engine.foundation.outbox import PermanentError, TransientError
from cat_engine.talent.connecting import Destinations

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class PinnedDestination:
    """A request's URL with the address in place of the name, and the name for `Host` and the certificate."""

    url: httpx.URL
    host_header: str
    server_name: str


def origin_of(url: httpx.URL) -> str:
    """Scheme, host and port, the port left out when it is the scheme's own."""
    port = "" if url.port is None else f":{url.port}"
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}{port}"


def is_public(text: str) -> bool:
    """Whether an address belongs to the public network, looking through the forms that embed IPv4 in IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner:
            return is_public(str(inner))
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast


async def pin(url_text: str, destinations: Destinations) -> PinnedDestination:
    """Judge a destination and fix its address; refuse for good what may never be reached."""
    try:
        url = httpx.URL(url_text)
    except httpx.InvalidURL as error:
        raise PermanentError("destination_malformed") from error
    if url.scheme not in {"https", "http"} or not url.host or url.userinfo:
        raise PermanentError("destination_malformed")
    if origin_of(url) not in destinations.origins:
        raise PermanentError("destination_not_listed")
    if url.scheme == "http" and not destinations.allow_private:
        raise PermanentError("destination_not_encrypted")
    addresses = await _resolve(url)
    if not destinations.allow_private and not all(map(is_public, addresses)):
        raise PermanentError("destination_not_public")
    return PinnedDestination(
        url=url.copy_with(host=addresses[0]),
        host_header=origin_of(url).partition("://")[2],
        server_name=url.host,
    )


async def _resolve(url: httpx.URL) -> list[str]:
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TransientError("destination_name_unknown") from error
    # IPv4 first: a venue's IPv6 is more often announced than working
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return [str(entry[4][0]) for entry in found]

"""No request leaves for anywhere but a listed, public, certified destination."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_engine.foundation.outbox import PermanentError, TransientError
from cat_engine.foundation.storage import Storage
from cat_engine.talent.connecting import (
    DeliveryContext,
    Destinations,
    PostedScore,
    ScoreReportMessage,
    installed_connectors,
)
from cat_engine.talent.connectors import signed_http
from cat_engine.talent.destinations import is_public, pin
from cat_engine.talent.signing import key_id
from tests.cat_engine.results.rows import T0, HandClock
from tests.cat_engine.talent.record_server import RecordServer, running

REPORT = ScoreReportMessage(
    report_id="r",
    report_number="CE/X/2026/000001",
    verification_code="A" * 16,
    agency_id="a",
    person_id="p",
    person_nip=None,
    is_simulated=True,
    package_hash="0" * 64,
    sitting_chain="0" * 64,
    scores=(PostedScore("s", "potential", "513", "21", 3, True),),
    measured_at_ms=T0,
    released_at_ms=T0,
    expires_at_ms=T0,
    idempotency_key="k" * 64,
)

NOT_PUBLIC = (
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - refused, not bound
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_inward_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "103.10.0.1", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_outward_addresses_are_public(address: str) -> None:
    assert is_public(address)


@settings(deadline=None)
@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_wrapping_an_inward_address_in_ipv6_does_not_help(address: object) -> None:
    assert not is_public(f"::ffff:{address}")


@pytest.mark.parametrize(
    ("url", "origins", "reason"),
    [
        ("https://elsewhere.example/x", {"https://simpeg.example"}, "destination_not_listed"),
        ("https://simpeg.example:8443/x", {"https://simpeg.example"}, "destination_not_listed"),
        ("https://simpeg.example.evil.example/", {"https://simpeg.example"}, "destination_not_listed"),
        ("https://simpeg.example@evil.example/", {"https://simpeg.example"}, "destination_malformed"),
        ("https://user:pass@simpeg.example/", {"https://simpeg.example"}, "destination_malformed"),
        ("file:///etc/passwd", {"file://"}, "destination_malformed"),
        ("gopher://simpeg.example/", {"gopher://simpeg.example"}, "destination_malformed"),
        ("https://[::1", {"https://[::1]"}, "destination_malformed"),
        ("http://8.8.8.8/", {"http://8.8.8.8"}, "destination_not_encrypted"),
        *(
            (f"https://{host}/", {f"https://{host}"}, "destination_not_public")
            for host in ("127.0.0.1", "[::1]", "localhost", "169.254.169.254", "10.0.0.7")
        ),
    ],
)
async def test_a_destination_is_refused(url: str, origins: set[str], reason: str) -> None:
    with pytest.raises(PermanentError) as refused:
        await pin(url, Destinations(frozenset(origins)))
    assert str(refused.value) == reason


async def test_a_name_nobody_knows_is_tried_again_later() -> None:
    with pytest.raises(TransientError) as failure:
        await pin("https://nowhere.invalid/", Destinations(frozenset({"https://nowhere.invalid"})))
    assert str(failure.value) == "destination_name_unknown"


async def test_the_address_is_fixed_and_the_name_is_kept() -> None:
    pinned = await pin(
        "https://localhost:8443/a?b=1",
        Destinations(frozenset({"https://localhost:8443"}), allow_private=True),
    )
    assert str(pinned.url) == "https://127.0.0.1:8443/a?b=1"
    assert (pinned.host_header, pinned.server_name) == ("localhost:8443", "localhost")


def _certify(folder: Path, name: str) -> ssl.SSLContext:
    """A self-signed certificate for a name, as authority file and as a server's context."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "authority.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


@pytest.mark.parametrize(
    ("certified_name", "authority_file", "is_delivered"),
    [
        ("localhost", "authority.pem", True),
        ("elsewhere.example", "authority.pem", False),
        ("localhost", "", False),
    ],
)
async def test_the_certificate_must_be_the_name_s(
    certified_name: str, authority_file: str, is_delivered: bool, tmp_path: Path
) -> None:
    key = Ed25519PrivateKey.generate()
    (tmp_path / "k.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    storage = Storage(f"sqlite+aiosqlite:///{tmp_path / 'unused.sqlite3'}")
    async with running(RecordServer(key), _certify(tmp_path, certified_name)) as server:
        origin = f"https://localhost:{server.port}"
        context = DeliveryContext(
            storage, HandClock(), Destinations(frozenset({origin}), allow_private=True), tmp_path
        )
        settings = signed_http.Settings(f"{origin}/scores", "k.pem", authority_file)
        if is_delivered:
            receipt = await signed_http.deliver(REPORT, settings, context)
            assert receipt.receipt_id == "R-kkkkkkkk"
        else:
            with pytest.raises(TransientError, match="ConnectError"):
                await signed_http.deliver(REPORT, settings, context)
        assert len(server.requests) == int(is_delivered)
    await storage.close()


def test_the_key_id_is_the_thumbprint_of_rfc_8037() -> None:
    """RFC 8037, appendix A.3: the thumbprint of its example key."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert key_id(key.public_key()) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_every_connector_keeps_the_contract() -> None:
    found = installed_connectors()
    assert {"embedded_register", "signed_http"} <= set(found)
    for connector in found.values():
        assert issubclass(connector.settings_type, msgspec.Struct)
        assert connector.settings_type.__struct_config__.frozen
        assert connector.settings_type.__struct_config__.forbid_unknown_fields
        fields = set(connector.settings_type.__struct_fields__)
        assert not fields & {"password", "token", "secret", "key"}, "secrets are files, named in the settings"

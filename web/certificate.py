"""The certificate for HTTPS: made by the rover itself at the first start, and renewed in time.

No authority vouches for it, so a browser asks once whether to trust it; the fingerprint that the
rover shows is how a person can tell that it is the rover's.
"""

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rover.errors import ConfigError
from web.names import is_address, outward_address
from web.private_file import write_private

# Browsers take none that is good for more than 398 days.
GOOD_FOR = datetime.timedelta(days=390)
# It is made anew at a start when less than this is left.
RENEW_BEFORE = datetime.timedelta(days=60)
# A computer without a clock of its own may wake up in the past.
_CLOCK_MARGIN = datetime.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a TLS server needs, and the SHA-256 fingerprint for people to compare."""

    certificate_file: Path
    key_file: Path
    fingerprint: str

    def context(self) -> ssl.SSLContext:
        """Return the settings for a server with this certificate, TLS 1.2 or later."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate_file, self.key_file)
        return context


def load_certificate(
    state_dir: Path, names: Sequence[str], now: datetime.datetime | None = None
) -> Certificate:
    """Return the certificate in ``state_dir`` for ``names``, some of which may be addresses.

    It is made if there is none, if it nears its end, or if it lacks one of the names; its key
    stays. Raises ConfigError if the files cannot be used.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    certificate_file, key_file = state_dir / "web.crt", state_dir / "web.crt.key"
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        key = _load_key(key_file)
        certificate = _load(certificate_file)
        if certificate is None or not _serves(certificate, key, names, now):
            certificate = _make(key, names, now)
            content = certificate.public_bytes(serialization.Encoding.PEM)
            write_private(certificate_file, content)
    except OSError as error:
        raise ConfigError(
            f"cannot keep the certificate for HTTPS in {certificate_file}: {error.strerror}; "
            'choose a state directory that can be written, or https = "off"'
        ) from error
    return Certificate(certificate_file, key_file, _fingerprint(certificate))


def own_addresses() -> tuple[str, ...]:
    """Return the addresses that this computer is likely to be reached by."""
    outward = (outward_address(socket.AF_INET), outward_address(socket.AF_INET6))
    return tuple(dict.fromkeys(("127.0.0.1", "::1", *filter(None, outward))))


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        key = ec.generate_private_key(ec.SECP256R1())
        content = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(path, content)
        return key
    try:
        loaded = serialization.load_pem_private_key(content, password=None)
    except ValueError as error:
        raise ConfigError(f"{path} holds no key: delete it, and a new one is made") from error
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{path} holds a key of another kind: delete it, and a new one is made")
    path.chmod(0o600)
    return loaded


def _load(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ConfigError(
            f"{path} holds no certificate: delete it, and a new one is made"
        ) from error


def _serves(
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    now: datetime.datetime,
) -> bool:
    if certificate.public_key() != key.public_key():
        return False
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE:
        return False
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return set(_general_names(names)) <= set(extension.value)


def _make(
    key: ec.EllipticCurvePrivateKey, names: Sequence[str], now: datetime.datetime
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rover")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_MARGIN)
        .not_valid_after(now + GOOD_FOR)
        .add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_names(names: Sequence[str]) -> list[x509.GeneralName]:
    return [
        x509.IPAddress(ipaddress.ip_address(name)) if is_address(name) else x509.DNSName(name)
        for name in dict.fromkeys(names)
    ]


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()

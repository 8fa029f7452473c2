"""Where the service is and who asks."""

from __future__ import annotations

from typing import Any, Protocol

from vecload import _native
from vecload._errors import DeniedError


class Session(Protocol):
    """A ``boto3.Session`` or a ``botocore.session.Session``."""

    def get_credentials(self) -> Any: ...


def client_options(
    endpoint_url: str | None, region: str | None, profile: str | None, keys: Keys | None
) -> _native.ClientOptions:
    """The native chain's settings, or those of a session."""
    options = _native.ClientOptions()
    if keys is not None:
        region = region or keys.region
        profile = profile or keys.profile
        options.set_keys(keys)
    options.endpoint_url = endpoint_url or ""
    options.region = region or ""
    options.profile = profile or ""
    return options


def _region_of(session: Any) -> str | None:
    if hasattr(session, "region_name"):  # boto3
        return session.region_name
    return session.get_config_variable("region")


def _profile_of(session: Any) -> str | None:
    name = session.profile_name if hasattr(session, "profile_name") else session.profile
    # What boto3 says where nobody chose one; the native chain knows that by itself.
    return None if name == "default" else name


class Keys:
    """Keys through the session, which renews them in its own way when they are about to expire."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.region = _region_of(session)
        self.profile = _profile_of(session)

    def __call__(self) -> tuple[str, str, str]:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise DeniedError(
                "the session has no credentials; configure it (keys, profile, role), or leave out "
                "session= for the chain of the AWS CLI"
            )
        frozen = credentials.get_frozen_credentials()
        return frozen.access_key, frozen.secret_key, frozen.token or ""


def keys_of(session: Session | None) -> Keys | None:
    """What the native module asks; None: its own chain."""
    if session is None:
        return None
    keys = Keys(session)
    keys()  # so that a session without credentials is told at once, and here
    return keys

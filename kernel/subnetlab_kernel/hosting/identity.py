"""Who may ask a host for what: by a token in the `Authorization` header, from no foreign page, for kernels.

Jupyter Server's own provider also takes a token in the address, which ends up in logs and histories, and
keeps a cookie, which a page of another origin can use. Files, terminals and sessions are refused.
"""

import re
import secrets
from typing import Any, Final
from urllib.parse import urlparse

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from tornado import web
from traitlets import Dict

_PATHS: Final = re.compile(r"/(api(/(kernels|kernelspecs|me)(/.*)?)?|kernelspecs/.*)")
"""What a host answers at all; Jupyter Server has pages beside, such as metrics of everyone's kernels."""
_ALLOWED: Final = {"kernels": {"read", "write", "execute"}, "kernelspecs": {"read"}}


class TokenIdentity(IdentityProvider):
    """One token a person."""

    tokens: "Dict[str, str]" = Dict(help="The token of each user, by name.").tag(config=True)

    def get_user(self, handler: web.RequestHandler) -> User:
        """Name the user whose token comes with a request.

        Raises:
            HTTPError: 403 for a page of another origin, 401 without a known token, 404 for what is no kernel.
        """
        origin, host = handler.request.headers.get("Origin"), handler.request.headers.get("Host")
        scheme, _, given = handler.request.headers.get("Authorization", "").strip().partition(" ")
        if origin is not None and urlparse(origin).netloc.lower() != str(host).lower():
            raise _refused(handler, 403, "This page is of another origin.")
        known = self._named(given.strip()) if scheme.lower() in ("token", "bearer") else None
        if known is None:
            raise _refused(handler, 401, "A token is needed: Authorization: token …")
        if not _PATHS.fullmatch(handler.request.path):
            raise _refused(handler, 404, "A host has kernels alone.")
        # What the base class notes: such a request cannot be forged by a page.
        setattr(handler, "_token_authenticated", True)  # noqa: B010
        return User(known)

    def _named(self, given: str) -> str | None:
        """Whose token it is; all are compared, so that the time says nothing."""
        found = None
        for name, token in self.tokens.items():
            if secrets.compare_digest(given.encode(), token.encode()):
                found = name
        return found

    def get_handlers(self) -> list[tuple[str, object]]:
        """No pages to log in and out."""
        return []


def _refused(handler: web.RequestHandler, status: int, why: str) -> web.HTTPError:
    """A refusal; as Jupyter Server's own do, it notes before that there is no user."""
    handler.current_user = None
    setattr(handler, "_jupyter_current_user", None)  # noqa: B010
    return web.HTTPError(status, why)


class KernelsOnly(Authorizer):
    """One's own kernels, and what kinds there are."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        """Whether an action on a kind of resource is allowed.

        Raises:
            HTTPError: 404 where a request names a kernel of another person.
        """
        kernel_id = handler.path_kwargs.get("kernel_id") or next(iter(handler.path_args), None)
        if (
            resource == "kernels"
            and kernel_id
            and not handler.kernel_manager.belongs(kernel_id, user.username)
        ):
            raise web.HTTPError(404, f"Kernel does not exist: {kernel_id}")
        return action in _ALLOWED.get(resource, ())

"""Registration tokens: where they come from, their form and expiry, and keeping them out of what is printed.

Here is what its modules share, since most runs need no more of some of them.
"""

from __future__ import annotations

from krm_fn.krm.results import Errors, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.krm.results import Result
    from krm_fn.kube.secrets import Secret

FIELD = "spec.registrationToken"
ABSENT = tagged(rule="token-absent")  # of an error that says where the token would come from
BOOTSTRAP_NAME = "bootstrap-token-"  # begins the name of the Secret that holds one
# Printed in the public guide of Clusternet and, as an example, in Kubernetes' own documentation
PUBLIC = frozenset({"07401b.f395accd246ae52d", "abcdef.0123456789abcdef"})


class Refused(Errors):
    """A value that is no token; what it might have been is still not to be shown."""

    def __init__(self, result: Result, secret: Secret) -> None:
        super().__init__([result])
        self.secret = secret

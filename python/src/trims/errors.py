"""What can go wrong: Error, with one subclass for each code."""


class Error(Exception):
    """A call of TrIMS failed.

    code:    the name of the reason, e.g. "NOT_FOUND"; the same in the CLI, the daemon's log and JSON
    message: what was expected and what came
    hint:    the next step; may be empty
    """

    code = "INTERNAL"

    def __init__(self, message="", hint="", code=None):
        super().__init__(message, hint, code or self.code)
        self.message, self.hint, self.code = message, hint, code or self.code

    def __str__(self):
        text = f"{self.code}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


class InvalidArgument(Error, ValueError):
    """The request or the bytes are malformed; trying again doesn't help."""

    code = "INVALID_ARGUMENT"


class NotFound(Error, LookupError):
    """No such model, version, variant, tensor or file."""

    code = "NOT_FOUND"


class MissingKey(NotFound, KeyError):
    """A mapping has no such name: a KeyError to code that treats it as a dict."""

    __str__ = Error.__str__


class AlreadyExists(Error):
    """The name is taken by other content."""

    code = "ALREADY_EXISTS"


class PermissionDenied(Error):
    """The kernel or the daemon's rules refuse this user."""

    code = "PERMISSION_DENIED"


class TooLarge(Error):
    """Larger than the tier or the limit: it can never fit."""

    code = "TOO_LARGE"


class QuotaExceeded(Error):
    """A limit of this user or connection is used up."""

    code = "QUOTA_EXCEEDED"


class ResourceExhausted(Error):
    """No room now: memory, descriptors, budget held by leases."""

    code = "RESOURCE_EXHAUSTED"


class FailedPrecondition(Error):
    """The state forbids it: the source changed, the variant was made for another runtime, the model is closed."""

    code = "FAILED_PRECONDITION"


class DeadlineExceeded(Error):
    """The caller's deadline passed."""

    code = "DEADLINE_EXCEEDED"


class Unavailable(Error):
    """The daemon isn't there, is stopping or went away; trying again may help."""

    code = "UNAVAILABLE"


class DataLoss(Error):
    """Bytes differ from their digest, or a file is truncated."""

    code = "DATA_LOSS"


class Unimplemented(Error, NotImplementedError):
    """This build, kernel or daemon can't do it."""

    code = "UNIMPLEMENTED"


class Cancelled(Error):
    """Given up by the caller."""

    code = "CANCELLED"


class Internal(Error):
    """A defect of TrIMS."""

    code = "INTERNAL"


_BY_CODE = {
    kind.code: kind
    for kind in (
        InvalidArgument, NotFound, AlreadyExists, PermissionDenied, TooLarge, QuotaExceeded, ResourceExhausted,
        FailedPrecondition, DeadlineExceeded, Unavailable, DataLoss, Unimplemented, Cancelled, Internal,
    )
}


def from_status(code, message, hint):
    """The exception for a code; an Error that carries the code itself if it is newer than this package."""
    return _BY_CODE.get(code, Error)(message, hint, code)

"""Who is answered: only who signs with a secret of this local AWS, and no web page.

Every user of a machine can connect to its loopback ports, and so can every page in a browser. Stock ministack answers all of
them, and allows every page to read its answers; with AUTH=true it still takes any signature for that of an account's root
user. But who may call it can create a function, and so run code as the user whom it belongs to.

The control plane is everything but invoke URLs of APIs: those are for everybody, as on AWS.
"""

import dataclasses
import datetime
import hashlib
import hmac
import json
import re
import uuid
from urllib.parse import parse_qs, quote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses, router, sigv4

ALGORITHM = "AWS4-HMAC-SHA256"
PROOF_PATH = "/_local_aws/proof"

# A name that somebody else controls may lead here as well (DNS rebinding), and then pages of that name would not even be of
# another origin. The port may be another one: that of a forwarder.
_OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_INVOKE_URL = re.compile(r"/restapis/[^/]+/[^/]+/_user_request_(/(?!@connections/).*)?", re.DOTALL)
_ROOT_KEY = re.compile(r"[0-9]{12}")
_CHALLENGE = re.compile(r"[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LARGEST_BODY = 100 * 2**20  # bytes; a function's code has 70 MB at most, in base64

# Seconds: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
_LONGEST_PRESIGNED = 7 * 24 * 3600
_SKEW = 15 * 60

_resolve_credential = iam_evaluator.resolve_credential
_secret = ""
_where = ""


class Refused(Exception):
    """The caller has not proven to be allowed; with AWS's code and message."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclasses.dataclass
class Request:
    """What is signed, besides the body."""

    method: str
    path: str
    raw_path: str
    query: dict[str, list[str]]
    headers: dict[str, str]  # repeated ones with all values, as they are signed
    repeated: set[str]

    @staticmethod
    def of(scope) -> "Request":
        headers, repeated = {}, set()
        for name, value in scope["headers"]:
            name, text = name.decode("latin-1").lower(), sigv4.decode_header_value(value)
            if name in headers:
                repeated.add(name)
            headers[name] = f"{headers[name]},{text}" if name in headers else text
        raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
        query = parse_qs(scope.get("query_string", b"").decode("utf-8", "replace"), keep_blank_values=True)
        return Request(scope["method"], scope["path"], raw_path.decode("latin-1"), query, headers, repeated)

    def parameter(self, name: str) -> str:
        return self.query.get(name, [""])[0]


# ---- Signatures -------------------------------------------------------------------------------------------------


def _claim(request: Request) -> tuple[sigv4.HeaderSignature, str, bool]:
    """The signature that the request carries, the secret that must have made it, and whether it is in the query.

    Everything is checked that needs no body, so that nobody's body is read for nothing. Raises `Refused`.
    """
    authorization = request.headers.get("authorization", "")
    in_query = not authorization and bool(request.parameter("X-Amz-Algorithm"))
    algorithm = request.parameter("X-Amz-Algorithm") if in_query else authorization.partition(" ")[0]
    if not algorithm:
        raise Refused("MissingAuthenticationToken", "Request is missing Authentication Token")
    if algorithm != ALGORITHM or "authorization" in request.repeated:
        raise Refused("IncompleteSignature", f"Only {ALGORITHM} is supported")
    parse = sigv4.parse_query_signature if in_query else sigv4.parse_header_signature
    signature = parse(request.query if in_query else request.headers)
    if isinstance(signature, tuple):
        raise Refused(*signature)
    # ministack looks for the key by itself, and must find the one that is checked here.
    if router.extract_access_key_id(request.headers, request.query) != signature.access_key_id:
        raise Refused("IncompleteSignature", "The request carries more than one credential")
    if "host" not in signature.signed_headers.lower().split(";"):
        raise Refused("SignatureDoesNotMatch", "'Host' must be a 'SignedHeader' in the AWS Authorization")
    _check_time(signature, request.parameter("X-Amz-Expires") if in_query else "")
    token = request.parameter("X-Amz-Security-Token") if in_query else request.headers.get("x-amz-security-token", "")
    return signature, _secret_of(signature.access_key_id, token), in_query


def _check_time(signature: sigv4.HeaderSignature, expires: str) -> None:
    """A signature holds for minutes; one in a query for as long as it says."""
    signed_at = sigv4._amz_datetime(signature.amz_date)
    if signed_at is None:
        raise Refused("IncompleteSignature", "Date must be in ISO-8601 'basic format'")
    if not expires:
        skewed = sigv4.request_time_failure(signature)
        if skewed:
            raise Refused(*skewed)
        return
    if not expires.isdecimal() or int(expires) > _LONGEST_PRESIGNED:
        raise Refused("AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week (in seconds)")
    age = (datetime.datetime.now(datetime.timezone.utc) - signed_at).total_seconds()
    if not -_SKEW <= age <= int(expires):
        raise Refused("SignatureDoesNotMatch", "Signature expired or not yet current")


def _secret_of(key: str, token: str) -> str:
    """What signs for this access key: the secret of this local AWS for an account's root user, else what IAM or STS gave."""
    if _ROOT_KEY.fullmatch(key):
        return _secret
    try:
        account = iam_evaluator.find_iam_access_key_account(key) or responses._account_from_sts_session(key)
    except iam_evaluator.AmbiguousAccessKeyError:
        account = None
    credential = account and _resolve_credential(key, account, token)
    if not isinstance(credential, iam_evaluator.ResolvedCredential):
        code = getattr(credential, "code", "UnrecognizedClientException")
        raise Refused(code, "The security token included in the request is invalid.")
    return credential.secret_access_key


def _check(request: Request, claim: tuple[sigv4.HeaderSignature, str, bool], body: bytes) -> None:
    """Recomputes the signature. Raises `Refused`."""
    signature, secret, in_query = claim
    declared = request.headers.get("x-amz-content-sha256", "")
    of_s3 = signature.service == "s3"  # which may leave its body unsigned, or sign it in pieces
    if declared and not (of_s3 and not _SHA256.fullmatch(declared)) and declared != hashlib.sha256(body).hexdigest():
        raise Refused("SignatureDoesNotMatch", "The body is not the one that was signed")
    failure = sigv4.header_signature_failure(
        signature, secret, request.method, request.raw_path, request.query, request.headers, body, presigned=in_query
    )
    if failure:
        raise Refused(*failure)


def presigned(url: str, account: str, region: str, seconds: int) -> str:
    """A URL that whoever has it may GET for a while, as AWS gives for downloads."""
    request = AWSRequest("GET", url)
    S3SigV4QueryAuth(Credentials(account, _secret), "s3", region, expires=seconds).add_auth(request)
    return request.url


def _resolved(access_key_id, *arguments, **named):
    """ministack's lookup of credentials, for which the root user's secret is a word that everybody knows."""
    found = _resolve_credential(access_key_id, *arguments, **named)
    # Without a key it is the launcher itself that calls, or a request to an API that nobody has signed.
    if not access_key_id or getattr(found, "principal_type", "") != "Root":
        return found
    if not _ROOT_KEY.fullmatch(access_key_id):
        return iam_evaluator._unknown_access_key()
    return dataclasses.replace(found, secret_access_key=_secret)


# ---- Requests ---------------------------------------------------------------------------------------------------


def guarded(application):
    """The application, for those who may."""

    async def guard(scope, receive, send):
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        scope = _with_the_api_in_its_path(scope)
        request = Request.of(scope)
        forbidden = _forbidden(request)
        if forbidden:
            await _answer(send, 403, {"message": forbidden})
        elif _INVOKE_URL.fullmatch(request.path):
            await _invoke(application, request, scope, receive, send)
        elif request.path == PROOF_PATH:
            await _prove(request, send)
        else:
            await _control(application, request, scope, receive, send)

    return guard


def _with_the_api_in_its_path(scope):
    """A request to `ID.execute-api.localhost` (a name that browsers themselves take for this machine) as one to the API's other
    URL, so that there is one way to tell them from the control plane."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"]
    if len(hosts) != 1 or not app._EXECUTE_API_RE.match(hosts[0]):
        return scope
    api, stage, path = app._parse_execute_api_url(hosts[0], scope["path"])
    path = f"/restapis/{api}/{stage}/_user_request_{path}"
    headers = [(name, b"localhost" if name.lower() == b"host" else value) for name, value in scope["headers"]]
    return {**scope, "path": path, "raw_path": quote(path).encode(), "headers": headers}


def _forbidden(request: Request) -> str | None:
    """Why nobody is answered who asks like this, whatever the signature."""
    if "host" in request.repeated or not _OWN_HOST.fullmatch(request.headers.get("host", "")):
        return "The local AWS answers at 127.0.0.1 and localhost only"
    if _INVOKE_URL.fullmatch(request.path):
        return None
    # Browsers send these and let no page change them. `none`: a person has typed the URL.
    if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") != "none":
        return "The local AWS does not answer web pages"
    return None


async def _invoke(application, request: Request, scope, receive, send) -> None:
    """A request to an API: for everybody. Where a method asks who signed it, it must really be signed."""
    if app.AUTH and router.extract_access_key_id(request.headers, request.query):
        api, stage, path = app._parse_execute_api_url("", request.path)
        if app._execute_api_authorization_type(api, stage, request.method, path) == "AWS_IAM":
            try:
                receive = await _authenticated(request, receive)
            except Refused as refusal:
                await _answer(send, 403, {"message": str(refusal)}, {"x-amzn-errortype": refusal.code})
                return
    await application(scope, receive, send)


async def _control(application, request: Request, scope, receive, send) -> None:
    try:
        receive = await _authenticated(request, receive)
        # These have no permissions that could be given to a user.
        if request.path.startswith("/_") and not _ROOT_KEY.fullmatch(
            router.extract_access_key_id(request.headers, request.query)
        ):
            raise Refused("AccessDeniedException", "Only the credentials of the local AWS itself may do this")
    except Refused as refusal:
        await _refuse(send, request, refusal)
        return
    await application(scope, receive, _without_cors(send))


async def _authenticated(request: Request, receive):
    """What to receive the request by, once its signature has been checked. Raises `Refused`."""
    claim = _claim(request)
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused("RequestTimeout", "The request was not sent to its end")
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
        if size > _LARGEST_BODY:
            raise Refused("RequestEntityTooLargeException", "The request is too large")
    body = b"".join(parts)
    _check(request, claim, body)
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed():
        return pending.pop() if pending else await receive()

    return replayed


async def _prove(request: Request, send) -> None:
    """Shows that this process has the secret, without showing the secret."""
    challenge = request.parameter("challenge")
    if request.method != "GET" or not _CHALLENGE.fullmatch(challenge):
        await _answer(send, 400, {"message": "challenge must be 64 hexadecimal digits"})
        return
    proof = hmac.new(_secret.encode(), f"local AWS {challenge}".encode(), hashlib.sha256).hexdigest()
    await _answer(send, 200, {"proof": proof})


def _without_cors(send):
    """No page may read what the control plane answers."""

    async def sending(message):
        if message["type"] == "http.response.start":
            headers = [one for one in message.get("headers", []) if not one[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": headers}
        await send(message)

    return sending


async def _refuse(send, request: Request, refusal: Refused) -> None:
    """The refusal in the form that the service's clients understand."""
    message = f"{refusal} (The local AWS takes the credentials in {_where}.)"
    if request.path.startswith("/_"):
        await _answer(send, 403, {"__type": refusal.code, "message": message})
        return
    request_id = str(uuid.uuid4())
    status, headers, body = iam_actions.access_denied_response(
        _like(request), "", "", request_id, error_code=refusal.code, message=message, headers=request.headers
    )
    await _send(send, status, {**headers, "x-amzn-requestid": request_id}, body)


def _like(request: Request) -> str:
    """A service whose errors are written as this request's client expects them: by its protocol, for to find the service itself
    may take ministack seconds, which is too long for a stranger."""
    if "x-amz-target" in request.headers:
        return "dynamodb"
    is_query = "Action" in request.query or "form-urlencoded" in request.headers.get("content-type", "")
    return "iam" if is_query else "lambda"


async def _answer(send, status: int, document: dict, headers: dict | None = None) -> None:
    headers = {"content-type": "application/json", **(headers or {})}
    await _send(send, status, headers, json.dumps(document).encode())


async def _send(send, status: int, headers: dict, body: bytes) -> None:
    listed = [(name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in headers.items()]
    listed = [one for one in listed if one[0] != b"content-length"] + [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def install(secret: str, where: str) -> None:
    """Makes ministack know the secret, which lies in the file `where`. Before its services are imported, which take the
    lookup of credentials with them."""
    global _secret, _where
    _secret, _where = secret, where
    iam_evaluator.resolve_credential = _resolved

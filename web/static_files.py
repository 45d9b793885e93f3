"""The files of the static folder, under the names that carry their content's hash."""

from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from cat_engine.foundation.refusals import Refusal, Refused
from web.assets import URL_PREFIX
from web.requests import WebRequest
from web.rules import PUBLIC
from web.services import services_of


@get(URL_PREFIX + "{path:path}", opt=PUBLIC, cache=False, name="static")
async def static_file(request: WebRequest, path: FromPath[str]) -> Response[bytes]:
    """One file, compressed where the browser takes it; any other name is unknown."""
    asset = services_of(request).assets.find(URL_PREFIX + path.lstrip("/"))
    if asset is None:
        raise Refused(Refusal.NOT_FOUND)
    headers = dict(asset.headers)
    media_type = headers.pop("Content-Type")
    headers["Vary"] = "Accept-Encoding"
    if headers["ETag"] == request.headers.get("if-none-match"):
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    if asset.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            asset.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type
        )
    return Response(asset.content, headers=headers, media_type=media_type)

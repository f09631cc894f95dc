"""`python functions_host.py FOLDER PORT`: a Functions host that runs an app with the library of Azure's own worker.

It serves the app's HTTP function on 127.0.0.1 (with `--fd N` in place of the port: on the listening socket that it inherits),
and runs the others as the real host's admin endpoint does: `POST /admin/functions/<name>` with `{"input": <text>}`. Known
divergences: that endpoint answers when the function has ended, 200 or 500 with its error (the host: 202 at once); no retries,
leases, timers, poison queues or keys. It imports nothing of the repository, so that a copy of the app is what runs.
"""

import asyncio
import json
import logging
import os
import socket
import sys
import types
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type _Answer = tuple[int, dict[str, str], list[str], bytes]  # status, headers, cookies, body


class Message(types.SimpleNamespace):
    """A protobuf message as far as the library looks: attributes, and which member of a oneof is set."""

    def WhichOneof(self, group: str) -> str | None:
        """The name of its first member: those with a oneof are made with one."""
        return next(iter(self.__dict__), None)


def _message(name: str, **constants: object) -> type[Message]:
    return type(name, (Message,), constants)


MESSAGES = (
    "FunctionEnvironmentReloadResponse", "FunctionLoadResponse", "FunctionMetadataResponse", "InvocationResponse",
    "NullableBool", "NullableDouble", "NullableString", "NullableTimestamp", "ParameterBinding", "RpcException",
    "RpcFunctionMetadata", "RpcHttp", "RpcRetryOptions", "TypedData", "WorkerInitResponse", "WorkerMetadata",
)  # fmt: skip
PROTOS = types.SimpleNamespace(
    **{name: _message(name) for name in MESSAGES},
    StatusResult=_message("StatusResult", Failure=0, Success=1),
    BindingInfo=_message("BindingInfo", **{"in": 0, "out": 1, "inout": 2, "undefined": 0}),
    RpcHttpCookie=_message(
        "RpcHttpCookie",
        SameSite=types.SimpleNamespace(**{"None": None, "Lax": "Lax", "Strict": "Strict", "ExplicitNone": "None"}),
    ),
)


class Host:
    """The app of a folder, once `start` has indexed it; `functions` has (id, trigger type, trigger) by name."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.functions: dict[str, tuple[str, str, dict[str, Any]]] = {}

    async def start(self) -> None:
        """Ends the process with the library's reason when the app can't be indexed."""
        import azure_functions_runtime as runtime

        self._runtime = runtime
        runtime.start_threadpool_executor()
        init = Message(worker_init_request=Message(capabilities={}, function_app_directory=self.folder))
        properties = {"host": "127.0.0.1", "protos": PROTOS}
        answer = await runtime.worker_init_request(Message(request=init, properties=properties))
        if answer.result.status != PROTOS.StatusResult.Success:
            sys.exit(
                f"the app was not indexed: {answer.result.exception.message}\n{answer.result.exception.stack_trace}"
            )
        metadata = await runtime.functions_metadata_request(Message())
        for function in metadata.function_metadata_results:
            bindings = [json.loads(raw) for raw in function.raw_bindings]
            [trigger] = [one for one in bindings if one["type"].lower().endswith("trigger")]
            self.functions[function.name] = (function.function_id, trigger["type"], trigger)

    async def invoke(self, name: str, data: Message) -> Message | None:
        """What the function returned for its trigger's data; raises RuntimeError with what it raised."""
        invocation_id, _, trigger = self.functions[name]
        invocation = str(uuid.uuid4())
        request = Message(
            invocation_id=invocation,
            function_id=invocation_id,
            input_data=[PROTOS.ParameterBinding(data=data, name=trigger["name"])],
            trigger_metadata={},
            trace_context=Message(trace_parent="", trace_state="", attributes={}),
            retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
        )
        self._runtime.invocation_id_cv.set(invocation)
        answer = await self._runtime.invocation_request(Message(request=Message(invocation_request=request)))
        if answer.result.status != PROTOS.StatusResult.Success:
            raise RuntimeError(answer.result.exception.message + "\n" + answer.result.exception.stack_trace)
        returned: Message | None = answer.return_value
        return returned

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The host's surface: its admin endpoint, and all else to the app's HTTP function. 500 tells what a function raised."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            status, headers, cookies, body = await self._answer(scope, body)
        except RuntimeError as exc:  # the real host hides it from the caller
            print(str(exc).partition("\n")[2] or exc, file=sys.stderr, flush=True)  # its traceback ends with the same
            status, headers, cookies, body = 500, {"content-type": "text/plain"}, [], str(exc).encode()
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        pairs += [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
        pairs.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, body: bytes) -> _Answer:
        if scope["path"] == "/admin/functions":
            listed = {name: trigger for name, (_, _, trigger) in self.functions.items()}
            return 200, {"content-type": "application/json"}, [], json.dumps(listed).encode()
        if not scope["path"].startswith("/admin/functions/"):
            return await self._http(scope, body)
        name = scope["path"].rsplit("/", 1)[1]
        kind = "string" if self.functions[name][1] == "queueTrigger" else "json"
        await self.invoke(name, PROTOS.TypedData(**{kind: json.loads(body).get("input")}))
        return 200, {}, [], b""

    async def _http(self, scope: Scope, body: bytes) -> _Answer:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        # The platform's front end appends the caller, with its port.
        forwarded = "{}:{}".format(*scope["client"])
        headers["x-forwarded-for"] = ", ".join(filter(None, [headers.get("x-forwarded-for"), forwarded]))
        query = scope["query_string"].decode("latin-1")
        url = f"http://{headers.get('host')}{scope['raw_path'].decode('latin-1')}" + (f"?{query}" if query else "")
        name = next(name for name, (_, kind, _) in self.functions.items() if kind == "httpTrigger")
        request = PROTOS.RpcHttp(
            method=scope["method"], url=url, headers=headers, body=PROTOS.TypedData(bytes=body), params={}, query={}
        )
        returned = await self.invoke(name, PROTOS.TypedData(http=request))
        assert returned is not None  # a request has an answer
        answer = returned.http
        content = getattr(answer.body, answer.body.WhichOneof("data"))
        content = content.encode() if isinstance(content, str) else content
        # A head alone keeps the length of the body that it stands for.
        answer_headers = {k: str(v) for k, v in answer.headers.items() if k.lower() != "content-length"}
        return int(answer.status_code), answer_headers, [_cookie(one) for one in answer.cookies or ()], content


def _cookie(cookie: Message) -> str:
    parts = [f"{cookie.name}={cookie.value}"]
    for attribute, label in (("path", "Path"), ("domain", "Domain"), ("max_age", "Max-Age")):
        if (value := getattr(cookie, attribute, None)) is not None:
            parts.append(f"{label}={value.value}")
    parts += [label for attribute, label in (("secure", "Secure"), ("http_only", "HttpOnly"))
              if getattr(getattr(cookie, attribute, None), "value", False)]  # fmt: skip
    if cookie.same_site:
        parts.append(f"SameSite={cookie.same_site}")
    return "; ".join(parts)


async def main(folder: str, listener: socket.socket) -> None:
    """Serves until it is told to stop."""
    import uvicorn

    # In place of the worker's handler, whose lines the host takes.
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    for chatty in ("azure", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    host = Host(folder)
    await host.start()
    config = uvicorn.Config(
        host.asgi, lifespan="off", interface="asgi3", log_level="warning", access_log=False,
        server_header=False, proxy_headers=False,
    )  # fmt: skip
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    folder, *where = sys.argv[1:]
    folder = os.path.abspath(folder)
    os.chdir(folder)
    sys.path[0] = folder  # the app's own packages, not this script's neighbours
    port = ("127.0.0.1", int(where[-1]))
    listener = socket.socket(fileno=port[1]) if where[0] == "--fd" else socket.create_server(port)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it accepts inherits this
    asyncio.run(main(folder, listener))

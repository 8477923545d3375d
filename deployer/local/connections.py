"""Connections to clients. Stock hypercorn keeps one that the client has closed for as long as one that is idle: for more
than a minute, so that who connects for each request soon finds no free descriptor."""

import asyncio

from hypercorn.asyncio.tcp_server import TCPServer

_read_data = TCPServer._read_data
_idle_timeout = TCPServer._idle_timeout


async def read_data(server: TCPServer) -> None:
    """Reads to the end, after which there is nothing to wait for."""
    await _read_data(server)
    await server.idle_task.stop()


async def idle_timeout(server: TCPServer) -> None:
    """Closes what is idle for too long; at once if the client didn't wait for the last answer."""
    if server.reader.at_eof():
        await asyncio.shield(server._initiate_server_close())
    else:
        await _idle_timeout(server)


def install() -> None:
    """Makes hypercorn use all of the above."""
    TCPServer._read_data = read_data
    TCPServer._idle_timeout = idle_timeout

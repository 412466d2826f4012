"""moto's server on a free loopback port, with the changes of aws_changes.py.

`--world FILE` puts the organizations, accounts, roles, users and keys of a world file (docs/world.md) into it. Prints
`listening on 127.0.0.1:PORT` when it is ready.
"""

import argparse
import json
import signal
import sys
from pathlib import Path

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

import aws_world
from aws_changes import change_moto


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, help="a world file")
    arguments = parser.parse_args()
    change_moto()
    if arguments.world:
        aws_world.load(json.loads(arguments.world.read_text()))
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

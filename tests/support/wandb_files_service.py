# SPDX-License-Identifier: Apache-2.0
"""The part of the W&B service that gives out a run's files, on a port of this machine, with faults on demand.

  python3 wandb_files_service.py DIRECTORY KEY [FAULT...]

Serves the files below DIRECTORY as those of the run team/nmt/abcd1234. Prints its address, then one JSON line for each
request: method, path, headers (those of authorized requests without the key).
"""
import base64
import hashlib
import http.server
import json
import pathlib
import sys
import threading
import time

directory, key, faults = pathlib.Path(sys.argv[1]), sys.argv[2], set(sys.argv[3:])
authorization = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
was_cut = set()


def node(base, path):
    name, data = path.relative_to(directory).as_posix(), path.read_bytes()
    size = {"string-size": str(len(data)), "null-size": None}
    digest = base64.b64encode(hashlib.md5(data).digest()).decode()
    url = f"{base}/files/{name}"
    return {"name": name, "url": url,
            "directUrl": None if "no-direct-url" in faults else url if "same-url" in faults else
            f"{base}/redirect/{name}" if "redirect" in faults else f"{base}/signed/{name}",
            "sizeBytes": next((value for fault, value in size.items() if fault in faults), len(data)),
            "md5": "AAAAAAAAAAAAAAAAAAAAAA==" if "wrong-md5" in faults else digest}


def graphql(base, variables):
    if (variables["entity"], variables["project"]) != ("team", "nmt"):
        return {"project": None}
    if variables["name"] != "abcd1234":
        return {"project": {"run": None}}
    names = variables.get("fileNames")
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    nodes = [node(base, path) for path in paths if not names or path.relative_to(directory).as_posix() in names]
    return {"project": {"run": {"files": {"edges": [{"node": node} for node in nodes[:50]]}}}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def note(self):
        headers = dict(self.headers)
        if self.path == "/graphql" or self.path.startswith("/files/"):
            headers["Authorization"] = "right" if headers.get("Authorization") == authorization else "wrong"
        print(json.dumps({"method": self.command, "path": self.path, "port": self.server.server_port,
                          "headers": headers}), flush=True)
        return headers.get("Authorization")

    def answer(self, status, data, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        is_authorized = self.note() == "right"
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "stall" in faults:
            time.sleep(60)
        if "status-500" in faults:
            return self.answer(500, b"no")
        if "no-json" in faults:
            return self.answer(200, b"<html>")
        if not is_authorized:
            return self.answer(401, b"no")
        if "graphql-error" in faults:
            return self.answer(200, json.dumps({"errors": [{"message": "rate limit exceeded"}]}).encode())
        base = f"http://127.0.0.1:{self.server.server_port}"
        self.answer(200, json.dumps({"data": graphql(base, content["variables"])}).encode())

    def do_GET(self):
        is_authorized = self.note() == "right"
        place, _, name = self.path[1:].partition("/")
        if place == "files" and not is_authorized:
            return self.answer(401, b"no")
        if place == "redirect" or (place == "files" and "redirect-files" in faults):
            return self.answer(302, b"", Location=f"http://127.0.0.1:{other.server_port}/signed/{name}")
        self.send_file(name, (directory / name).read_bytes())

    def send_file(self, name, data):
        start = 0
        if "Range" in self.headers and "no-range" not in faults:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                return self.answer(416, b"", Content_Range=f"bytes */{len(data)}")
        part = data[start:]
        is_cut = "always-cut" in faults or ("cut" in faults and name not in was_cut)
        was_cut.add(name)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        if is_cut:
            part = b"" if "always-cut" in faults else part[:len(part) // 2]
            self.close_connection = True
        self.wfile.write(part)

    def log_message(self, *arguments):
        pass


service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=other.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{service.server_port}", flush=True)
service.serve_forever()

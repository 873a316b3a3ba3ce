# SPDX-License-Identifier: Apache-2.0
"""The part of the W&B service that `wandb sync` talks to, on a port of this machine."""
import gzip
import http.server
import json
import os
import threading


class Received:
    def __init__(self):
        self.history, self.config, self.summary, self.files = [], {}, {}, {}
        self.steps_of, self.exit_of = {}, {}  # by run
        self.exit_code, self.run_name, self.unknown = None, None, []


def graphql(url, received, query, variables):
    """The data of an answer."""
    if "mutation UpsertBucket" in query:
        received.run_name = variables.get("name") or received.run_name
        received.config |= json.loads(variables.get("config") or "{}")
        project = {"name": "linformer", "entity": {"name": "tester"}}
        bucket = {"id": "bucket", "name": received.run_name, "displayName": "run", "description": None,
                  "sweepName": None, "historyLineCount": 0, "project": project, "config": None}
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}
    if "mutation CreateRunFiles" in query:
        files = [{"name": name, "uploadUrl": f"{url}/upload/{name}"} for name in variables["files"]]
        return {"createRunFiles": {"runID": "run", "uploadHeaders": [], "files": files}}
    if "query Viewer" in query:
        return {"viewer": {"id": "viewer", "entity": "tester", "username": "tester", "flags": "{}",
                           "teams": {"edges": []}}}
    if "ServerFeaturesQuery" in query:
        return {"serverInfo": {"features": []}}
    if "query RunResumeStatus" in query:
        return {"model": None}
    received.unknown.append(query)
    return {}


class Handler(http.server.BaseHTTPRequestHandler):
    def body(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def answer(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        received, content = self.server.received, json.loads(self.body())
        if self.path == "/graphql":
            data = graphql(self.server.url, received, content["query"], content.get("variables") or {})
            return self.answer({"data": data})
        stream = content.get("files") or {}
        rows = [json.loads(line) for line in stream.get("wandb-history.jsonl", {}).get("content", [])]
        received.history += rows
        received.steps_of.setdefault(self.path.split("/")[-2], []).extend(row["_step"] for row in rows)
        for line in stream.get("wandb-summary.json", {}).get("content", []):
            received.summary |= json.loads(line)
        if content.get("complete"):
            received.exit_code = received.exit_of[self.path.split("/")[-2]] = content.get("exitcode")
        return self.answer({})

    def do_PUT(self):
        self.server.received.files[self.path.removeprefix("/upload/")] = self.body()
        self.answer({})

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


class Service:
    """Runs as long as its context; received is what came. environment(home) leads the wandb package here."""

    def environment(self, home):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
        return environment | {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": "0123456789" * 4,
                              "WANDB_ERROR_REPORTING": "false", "HOME": str(home), "WANDB_DIR": str(home),
                              "WANDB_CACHE_DIR": f"{home}/cache", "NO_PROXY": "127.0.0.1"}

    def __enter__(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = self.server.url = f"http://127.0.0.1:{self.server.server_port}"
        self.received = self.server.received = Received()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()

"""A JupyterHub with real accounts for as long as a test lasts, and the people who work on it."""

import asyncio
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupyter_client.session
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

NEEDED = ("configurable-http-proxy", "bwrap", "useradd", "userdel", "chpasswd")


def missing() -> str:
    """Why there can be no hub here, or nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root can make accounts and start the servers of others"
    absent = [name for name in NEEDED if not shutil.which(name)]
    return f"missing: {', '.join(absent)} (npm has the proxy)" if absent else ""


def opened(command, *folders):
    """`command` as root in a view of the machine where other accounts may pass to these folders, as through /root."""
    view, closed = ["bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/"], {}
    for folder in map(Path, folders):
        if not folder.stat().st_mode & 0o001:
            pytest.skip(f"{folder} is closed to other accounts")
        if shut := [parent for parent in folder.parents if not parent.stat().st_mode & 0o001]:
            closed.setdefault(shut[-1], []).append(folder)
    for shut, inside in closed.items():
        view += ["--perms", "0755", "--tmpfs", str(shut)]
        for folder in inside:
            for parent in [each for each in reversed(folder.parents) if each.is_relative_to(shut)][1:]:
                view += ["--dir", str(parent)]  # else bubblewrap would make it for root only
            view += ["--ro-bind", str(folder), str(folder)]
    return [*view, *command]


class Accounts:
    """Accounts of this machine with homes in `folder`, gone after the `with`. `self["ada"]`: the account's name."""

    def __init__(self, folder, *people):
        self.folder, self.names = folder, {person: f"{person}-{secrets.token_hex(3)}" for person in people}
        self.passwords = {person: secrets.token_hex(12) for person in people}

    def __getitem__(self, person):
        return self.names[person]

    def __enter__(self):
        for person, name in self.names.items():
            home = ["useradd", "--create-home", "--home-dir", str(self.folder / name), "--shell", "/bin/bash", name]
            made = subprocess.run(home, capture_output=True, text=True)
            if made.returncode:
                pytest.skip(f"no accounts can be made here: {made.stderr}")
            (self.folder / name).chmod(0o700)
            subprocess.run(["chpasswd"], input=f"{name}:{self.passwords[person]}", text=True, check=True)
        return self

    def __exit__(self, *_):
        for name in self.names.values():
            subprocess.run(["userdel", "--remove", name], capture_output=True)
        assert not set(self.names.values()) & {each.pw_name for each in pwd.getpwall()}


class Browser:
    """One person, signed in by name and password, whose server runs: `call` asks it, `shell` types into it."""

    def __init__(self, address, name, password):
        self.address, self.name = address, name
        self.jar = urllib.request.HTTPCookieProcessor()
        self.opener = urllib.request.build_opener(self.jar)
        self._open("/hub/login")
        form = f"username={name}&password={password}&_xsrf={self._cookie('_xsrf')}"
        self._open("/hub/login", form.encode())
        self._until_ready()

    def call(self, path, body=None, method=None):
        """The JSON that the person's own server answers."""
        data = None if body is None else json.dumps(body).encode()
        token = {"X-XSRFToken": self._cookie("_xsrf", f"/user/{self.name}/")} if method or body is not None else {}
        answer = self._open(f"/user/{self.name}/{path}", data, {"Content-Type": "application/json", **token}, method)
        return json.loads(answer) if answer else None

    def shell(self, command):
        """What a command prints, run by a kernel on the person's server. AssertionError with it if it fails."""
        done = f"subprocess.run(['bash', '-euc', {command!r}], capture_output=True, text=True)"
        said = self.run(f"import subprocess; done = {done}; print(done.stdout, done.stderr, 'status', done.returncode)")
        assert said.rstrip().endswith("status 0"), f"{self.name}: {command}\n{said}"
        return said

    def run(self, source):
        """What a cell prints on the person's server, or its error."""
        kernel = self.call("api/kernels", {"name": "python3"})["id"]
        try:
            with ThreadPoolExecutor(1) as thread:  # in ours a test with a browser may have left a loop running
                return thread.submit(asyncio.run, self._run(kernel, source)).result()
        finally:
            self.call(f"api/kernels/{kernel}", method="DELETE")

    async def _run(self, kernel, source):
        address = f"{self.address}/user/{self.name}/api/kernels/{kernel}/channels".replace("http", "ws", 1)
        cookies = "; ".join(f"{each.name}={each.value}" for each in self.jar.cookiejar if each.path != "/hub/")
        socket = await websocket_connect(HTTPRequest(address, headers={"Cookie": cookies}), max_message_size=2**27)
        session = jupyter_client.session.Session(username=self.name)
        asked = session.msg("execute_request", {"code": source, "silent": False})
        await socket.write_message(json.dumps(asked | {"channel": "shell"}, default=str))
        said = ""
        while True:
            got = json.loads(await socket.read_message())
            if got["parent_header"].get("msg_id") != asked["msg_id"]:
                continue
            said += got["content"].get("text", "") + got["content"].get("evalue", "")
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                socket.close()
                return said

    def _until_ready(self):
        for _ in range(600):
            try:
                self._open(f"/user/{self.name}/lab")  # which signs in there, too
                return self.call("api/status")
            except (urllib.error.HTTPError, json.JSONDecodeError):
                time.sleep(0.5)
        raise TimeoutError(f"the server of {self.name} did not start")

    def _open(self, path, data=None, headers=None, method=None):
        request = urllib.request.Request(self.address + path, data, headers or {}, method=method)
        with self.opener.open(request, timeout=600) as answer:
            return answer.read().decode()

    def _cookie(self, name, path=None):
        return next(each.value for each in self.jar.cookiejar if each.name == name and path in (None, each.path))


class Hub:
    """`command`, run in `folder`, until the `with` ends; the hub must answer at `address` soon and write `hub.pid`."""

    def __init__(self, command, folder, address, environment):
        self.command, self.folder, self.address, self.environment = command, folder, address, environment

    def __enter__(self):
        self.log = open(self.folder / "hub.log", "w")
        told = {"stdout": self.log, "stderr": self.log}
        self.process = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, **told)
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.address}/hub/api", timeout=10).close()
                return self
            except OSError:
                assert self.process.poll() is None, self._told()
                time.sleep(0.5)
        self.process.terminate()
        raise TimeoutError(self._told())

    def _told(self):
        return (self.folder / "hub.log").read_text()[-6000:]

    def __exit__(self, error=None, *_):
        if error:
            print(self._told())
        os.kill(int((self.folder / "hub.pid").read_text()), signal.SIGTERM)  # it ends the servers and the proxy
        self.process.wait(120)
        self.log.close()

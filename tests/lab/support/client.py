"""An independent client of the lab: Debian's python3-proxmoxer.

Reads {host, port, ca, user, password | token_name + token_value, scenario, vmid} on stdin and writes what it saw as one
JSON object on stdout.
"""
import json
import sys
import time

from proxmoxer import ProxmoxAPI
from proxmoxer.backends.https import AuthenticationError
from proxmoxer.core import ResourceException

PATIENCE_S = 20


def connect(target):
    login = {key: target[key] for key in ("user", "password", "token_name", "token_value") if key in target}
    return ProxmoxAPI(target["host"], port=target["port"], verify_ssl=target["ca"], **login)


def wait(node, upid):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        status = node.tasks(upid).status.get()
        if status["status"] == "stopped":
            lines = [line["t"] for line in node.tasks(upid).log.get()]
            return {"type": status["type"], "exit": status["exitstatus"], "log": lines[-1], "user": status["user"]}
        time.sleep(0.02)
    raise TimeoutError(upid)


def attempt(call):
    try:
        return {"result": call()}
    except ResourceException as error:
        return {"status": error.status_code, "reason": error.content}


def tour(api, vmid):
    node = api.nodes(api.nodes.get()[0]["node"])
    vm = node.qemu(vmid)
    state = lambda: vm.status.current.get()["status"]
    seen = {
        "version": api.version.get()["version"],
        "list": [{key: entry[key] for key in ("vmid", "name", "status")} for entry in node.qemu.get()],
        "name": vm.config.get()["name"],
        "tasks": [],
        "states": [state()],
    }

    def run(upid):
        seen["tasks"].append(wait(node, upid))
        seen["states"].append(state())

    run(vm.status.stop.post())
    run(vm.status.start.post())
    run(vm.snapshot.post(snapname="peer", vmstate=1, description="by proxmoxer; with a semicolon"))
    seen["snapshots"] = {entry["name"]: entry for entry in vm.snapshot.get()}
    run(vm.status.stop.post())
    run(vm.snapshot("peer").rollback.post())
    run(vm.snapshot("peer").delete())
    run(vm.status.stop.post())
    vm.config.put(description="written by proxmoxer")
    seen["description"] = vm.config.get()["description"]
    return seen


def errors(api, vmid):
    node = api.nodes("pve")
    vm = node.qemu(vmid)
    return {
        "missing": attempt(lambda: node.qemu(999).status.current.get()),
        "node": attempt(lambda: api.nodes("nowhere").qemu.get()),
        "parameter": attempt(lambda: vm.snapshot.post(snapname="x", vmstate="perhaps", colour="red")),
        "stopped": attempt(lambda: node.qemu(107).status.reset.post()),
        "locked": attempt(lambda: vm.config.put(tags="a")),
        "lockedTask": wait(node, vm.status.start.post()),
        "digest": attempt(lambda: node.qemu(107).config.put(tags="a", digest="0" * 40)),
        "unknown": attempt(lambda: api.nodes("pve").nothing.get()),
    }


def agent(api, vmid):
    vm = api.nodes("pve").qemu(vmid)
    vm.agent.ping.post()
    pid = vm.agent.exec.post(command=["/bin/echo", "hello world"])["pid"]
    status = {"exited": 0}
    deadline = time.monotonic() + PATIENCE_S
    while not status["exited"] and time.monotonic() < deadline:
        status = vm.agent("exec-status").get(pid=pid)
    return {
        "status": status,
        "again": attempt(lambda: vm.agent("exec-status").get(pid=pid)),
        "interfaces": vm.agent("network-get-interfaces").get()["result"],
    }


def login(api, _vmid):
    return attempt(lambda: api.version.get()["release"])


target = json.load(sys.stdin)
try:
    result = {"tour": tour, "errors": errors, "agent": agent, "login": login}[target["scenario"]](
        connect(target), target["vmid"]
    )
except AuthenticationError as error:
    result = {"authentication": str(error)}
json.dump(result, sys.stdout, default=repr)

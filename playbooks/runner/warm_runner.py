"""Runs ansible-playbook in processes forked from one that has Ansible imported already, which saves most of its start.

  python warm_runner.py FOLDER COMMAND PLAYBOOKS IDLE_SECONDS

Firebreak starts it, and calls it over the socket in FOLDER (see src/platforms/ansible/warm.ts). This process never runs
a playbook, reads no request and holds no secret: it forks once for each caller, and what runs in the fork ends with it.

                                     runner: {"heard": true}, and forks
  caller: request, a line of JSON    fork: {"pid": N}, after it carries the run's mark; {"no": reason} if it cannot run it
  caller: "go", or it closes         fork: {"code": N} at its end

Nothing runs before "go", so a caller that has waited too long can start ansible-playbook itself, and nothing runs twice.
"""

import atexit
import ctypes
import fcntl
import gc
import importlib
import json
import multiprocessing.synchronize
import multiprocessing.util
import os
import re
import shutil
import signal
import socket
import struct
import sys
import time

VERSION = 1
MAX_CALLS = 500
MAX_REQUEST = 1 << 20
PLACEHOLDER = "FIREBREAK_RUN_ID=" + "0" * 26

# What differs from run to run. Ansible reads the ANSIBLE_ ones when it is imported, and so again in the fork.
RUN_VARIABLES = (
    "PATH",
    "FIREBREAK_RUN_ID",
    "FIREBREAK_EVENTS",
    "ANSIBLE_HOME",
    "ANSIBLE_LOCAL_TEMP",
    "ANSIBLE_SSH_CONTROL_PATH_DIR",
    "ANSIBLE_CONNECTION_PASSWORD_FILE",
    "ANSIBLE_BECOME_PASSWORD_FILE",
)

# Modules that a run imports. One that this version of Ansible does not have is skipped.
MODULES = """
ansible.executor.playbook_executor ansible.executor.task_queue_manager ansible.executor.process.worker
ansible.executor.module_common ansible.executor.powershell.module_manifest ansible.plugins.strategy.linear
ansible.plugins.connection.ssh ansible.plugins.connection.local ansible.plugins.shell.sh ansible.plugins.become.sudo
ansible.plugins.action.normal ansible.plugins.action.set_stats ansible.plugins.action.set_fact
ansible.plugins.action.debug ansible.plugins.action.include_vars ansible.plugins.cache.memory
ansible.plugins.callback.default ansible.plugins.inventory.yaml ansible.plugins.inventory.host_list
ansible.plugins.lookup.file ansible.plugins.filter.core ansible.plugins.filter.urls ansible.plugins.filter.urlsplit
ansible.plugins.filter.mathstuff ansible.plugins.filter.encryption ansible.plugins.test.core ansible.plugins.test.files
ansible.plugins.test.mathstuff ansible.plugins.test.uri ansible.plugins.vars.host_group_vars
ansible.playbook.role_include ansible.playbook.role ansible.inventory.manager ansible.template ansible.vars.hostvars
ansible.vars.clean ansible.utils.unsafe_proxy ansible.module_utils.common.arg_spec ansible._internal._ssh._ssh_agent
jinja2.ext jinja2.nativetypes jinja2.debug jinja2.loaders
ast base64 email.message hashlib importlib.util ipaddress pty shlex smtplib uuid zipfile zlib
multiprocessing.popen_fork multiprocessing.queues multiprocessing.synchronize encodings.idna
""".split()


def find_mark():
    """The address of the placeholder in the block that /proc/PID/environ shows."""
    with open("/proc/self/stat") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    with open("/proc/self/environ", "rb") as file:
        at = file.read().find(PLACEHOLDER.encode())
    if at < 0:
        sys.exit("the environment has no placeholder")
    return int(fields[47]) + at  # env_start, the 50th field


def describe(path):
    try:
        status = os.stat(path)
    except OSError:
        return path, None
    return path, status.st_ino, status.st_size, status.st_mtime_ns


class Fingerprint:
    """All files that a run depends on and that this process has read: those of the loaded modules, the program, the
    configuration and the playbooks."""

    def __init__(self, command, playbooks):
        loaded = set(getattr(module, "__file__", None) for module in list(sys.modules.values()))
        self.files = sorted(each for each in loaded if each) + [command, sys.executable]
        self.playbooks = playbooks
        self.first = self.take()

    def take(self):
        found = [describe(each) for each in self.files]
        for folder, folders, names in os.walk(self.playbooks):
            folders[:] = sorted(each for each in folders if each != "__pycache__")
            found.extend(describe(os.path.join(folder, each)) for each in sorted(names))
        return found

    def has_changed(self):
        return self.take() != self.first


def find_settings():
    """Ansible's settings that depend on a variable of a run."""
    import ansible.constants as constants

    definitions = constants.config.get_configuration_definitions()
    return [
        name
        for name, definition in definitions.items()
        if any(each.get("name") in RUN_VARIABLES for each in definition.get("env") or [])
    ]


def preload():
    import ansible.cli.playbook

    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue


class Runner:
    def __init__(self, folder, command, playbooks):
        self.command = command
        self.mark = find_mark()
        self.namespaces = find_namespaces()
        self.environment = dict(os.environ)
        preload()
        self.settings = find_settings()
        self.fingerprint = Fingerprint(command, playbooks)
        self.path = os.path.join(folder, "socket")
        self.packages = os.path.join(os.environ["ANSIBLE_HOME"], "packages")
        os.mkdir(self.packages)
        self.pid = os.getpid()
        self.calls = 0
        self.since = int(time.time())
        self.locks = find_locks()
        gc.collect()
        gc.freeze()  # a collection in a fork would copy every page

    def serve(self, idle):
        new = self.path + ".new"
        if os.path.lexists(new):
            os.unlink(new)
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(new)  # others cannot reach it, by the umask
        os.chmod(new, 0o600)
        server.listen(64)
        os.rename(new, self.path)
        ours = describe(self.path)
        signal.signal(signal.SIGCHLD, reap)
        server.settimeout(min(idle, 5))
        last = time.monotonic()
        while self.calls < MAX_CALLS and time.monotonic() - last < idle and describe(self.path) == ours:
            try:
                connection = server.accept()[0]
            except socket.timeout:
                continue
            last = time.monotonic()
            if find_peer(connection) == os.geteuid():
                self.calls += 1
                self.fork(connection, server)
            connection.close()
        if describe(self.path) == ours:
            os.unlink(self.path)

    def fork(self, connection, server):
        try:
            send(connection, heard=True)  # so that a busy machine is told from a runner that hangs
            if os.fork() == 0:
                server.close()
                self.answer(connection)
        except OSError:
            return  # the caller is gone, or no process can be made: it runs cold

    def answer(self, connection):
        """In the fork. Never returns."""
        try:
            become_own_process(connection)
            request = read_request(connection)
            if request.get("version") == VERSION and request.get("look"):
                send(connection, pid=self.pid, calls=self.calls, since=self.since)
                os._exit(0)
            reason, is_outdated = self.find_obstacle(request)
            if reason is not None:
                if is_outdated and os.getppid() == self.pid:
                    os.kill(self.pid, signal.SIGTERM)  # the next run starts a new one
                send(connection, no=reason)
                os._exit(0)
            self.set_mark(request["env"]["FIREBREAK_RUN_ID"])
            send(connection, pid=os.getpid())
            if read_line(connection) != b"go":
                os._exit(0)
            code = self.run(request)
            send(connection, code=code)
            os._exit(code & 255)
        finally:
            os._exit(251)  # the caller sees that the connection ended without a code

    def find_obstacle(self, request):
        """Why this process cannot run the request, and whether it should end for that."""
        if request.get("version") != VERSION:
            return "another version of Firebreak", True
        if request["namespaces"] != self.namespaces:
            return "the caller has another view of the system", False
        if request["command"] != self.command:
            return "another ansible-playbook", True
        env = request["env"]
        names = set(env) | set(self.environment)
        if any(env.get(each) != self.environment.get(each) for each in names if each not in RUN_VARIABLES):
            return "another environment", True
        if re.match("[0-9A-Z]{26}$", env["FIREBREAK_RUN_ID"]) is None:
            return "not the id of a run", False
        if self.fingerprint.has_changed():
            return "Ansible or the playbooks have changed", True
        return None, False

    def set_mark(self, run):
        """A run is found, and stopped, by what /proc/PID/environ shows."""
        mark = ("FIREBREAK_RUN_ID=" + run).encode()
        ctypes.memmove(self.mark, mark, len(mark))

    def run(self, request):
        redirect(request)
        os.environ.clear()
        os.environ.update(request["env"])
        self.read_settings()
        renew(self.locks)
        packages = find_packages()
        link_all(self.packages, packages)
        gc.set_threshold(20000, 20, 20)
        sys.argv = [self.command] + request["args"]
        from ansible.cli.playbook import main

        try:
            code = main()
        except SystemExit as error:
            code = error.code
        except BaseException:
            import traceback

            traceback.print_exc()
            code = 250
        link_all(packages, self.packages)
        code = 0 if code is None else int(code) if isinstance(code, int) else 1
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    def read_settings(self):
        import ansible.constants as constants

        for name in self.settings:
            setattr(constants, name, constants.config.get_config_value(name, variables=vars(constants)))


def find_locks():
    """The locks that Ansible has made when it was imported, such as the one of each module that it packs. Forks share
    them, so one that is killed while it holds a lock would stop every later one."""
    return [each for each in gc.get_objects() if isinstance(each, multiprocessing.synchronize.SemLock)]


def renew(locks):
    for lock in locks:
        lock.__init__(ctx=multiprocessing.get_context())


def find_packages():
    """Where Ansible keeps the modules that it has packed for the firewall. It packs them anew in each run: 0.2 s."""
    import ansible.constants as constants

    return os.path.join(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache")


def link_all(source, target):
    """Links the packages of a folder into another one. A link is there as a whole or not at all, whoever else makes it."""
    try:
        os.makedirs(target, 0o700, exist_ok=True)
        for name in os.listdir(source):
            if not name.endswith(("-part", ".lock")) and not os.path.lexists(os.path.join(target, name)):
                os.link(os.path.join(source, name), os.path.join(target, name))
    except OSError:
        return  # Ansible packs what is not there


def become_own_process(connection):
    """What the fork inherits and a new process would not have: signal handlers, exit functions and the socket."""
    atexit._clear()
    atexit.register(multiprocessing.util._exit_function)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    # Otherwise the caller would not see our end before that of our own forks.
    os.register_at_fork(after_in_child=connection.close)


def redirect(request):
    os.chdir(request["folder"])
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    files = (
        os.open(os.devnull, os.O_RDONLY),
        os.open(request["stdout"], flags, 0o600),
        os.open(request["stderr"], flags, 0o600),
    )
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)


def reap(*unused):
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            continue
    except ChildProcessError:
        return


def find_peer(connection):
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", credentials)[1]


def find_namespaces():
    return [os.readlink("/proc/self/ns/" + each) for each in ("mnt", "net", "pid")]


def send(connection, **fields):
    connection.sendall(json.dumps(fields).encode() + b"\n")


def read_line(connection):
    connection.settimeout(10)
    text = b""
    while not text.endswith(b"\n") and len(text) < MAX_REQUEST:
        more = connection.recv(65536)
        if not more:
            os._exit(0)  # the caller no longer wants it
        text += more
    connection.settimeout(None)
    return text.rstrip(b"\n")


def read_request(connection):
    return json.loads(read_line(connection).decode())


def main(folder, command, playbooks, idle):
    lock = open(os.path.join(folder, "lock"), "w")
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of this process, and of none of its forks
    except OSError:
        sys.exit(0)  # another one is running
    shutil.rmtree(os.environ["ANSIBLE_HOME"], ignore_errors=True)  # left by one that was killed
    os.mkdir(os.environ["ANSIBLE_HOME"], 0o700)
    with open(command, encoding="utf-8", errors="replace") as file:
        if "from ansible.cli.playbook import main" not in file.read(65536):
            sys.exit("%s is not Ansible's own ansible-playbook" % command)
    Runner(folder, command, playbooks).serve(float(idle))


if __name__ == "__main__":
    os.umask(0o077)
    main(*sys.argv[1:])

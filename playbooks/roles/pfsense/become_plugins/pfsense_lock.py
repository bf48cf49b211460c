"""Runs one task inside pfSense's own configuration lock, and removes pfSense's cache before it releases the lock.

pfSense loads its configuration from a cache. A save between an edit of the file and the removal of the cache would
write the old configuration back, and the edit would be lost without a trace. A task that uses this plugin reads, checks
and replaces the file while nothing else can write it.

On older versions of Ansible an interpreter with a lock command in front would do the same, but since 2.19 Ansible quotes
the interpreter as one word. Wrapping a command is the purpose of become plugins.
"""

from __future__ import annotations

DOCUMENTATION = """
name: pfsense_lock
short_description: Runs a task inside pfSense's configuration lock
description:
  - Wraps the command of a task in pfSense's lock, and in sudo if C(escalate) is set.
author: Firebreak
version_added: "0.1"
options:
  lock_command:
    description: >-
      The command that takes the lock and runs the command after it. If empty, the task runs without the lock, as in check
      mode.
    default: ""
    vars: [{name: pfsense_lock_prefix}]
  cache:
    description: The file that pfSense would read instead of its configuration.
    default: /tmp/config.cache
    vars: [{name: pfsense_config_cache}]
  edit_folder:
    description: >-
      The folder of the task's working copy. It is created inside the lock and removed before the lock is released, so
      that files left by a power cut do not outlast the next edit.
    default: /cf/conf/.firebreak
    vars: [{name: pfsense_edit_folder}]
  escalate:
    description: Whether the login user has to become root first.
    type: bool
    default: false
    vars: [{name: pfsense_lock_escalate}]
  become_user:
    description: Always empty, which means root to sudo. With a name, Ansible would skip the plugin for that login.
  become_exe:
    description: The sudo program.
    default: sudo
    vars: [{name: ansible_become_exe}]
    env: [{name: ANSIBLE_BECOME_EXE}]
    keyword: [{name: become_exe}]
  become_flags:
    description: Options of sudo.
    default: -H -S -n
    vars: [{name: ansible_become_flags}]
    env: [{name: ANSIBLE_BECOME_FLAGS}]
    keyword: [{name: become_flags}]
  sudo_chdir:
    description: Never set. Newer versions of Ansible expect the option.
  become_pass:
    description: Password for sudo.
    vars: [{name: ansible_become_password}, {name: ansible_become_pass}]
    env: [{name: ANSIBLE_BECOME_PASS}]
"""

import shlex

from ansible.plugins.become.sudo import BecomeModule as Sudo


class BecomeModule(Sudo):
    name = "pfsense_lock"

    def build_become_command(self, cmd, shell):
        if cmd and self.get_option("lock_command"):
            cmd = self._lock(cmd)
        if self.get_option("escalate"):
            return super().build_become_command(cmd, shell)
        return cmd

    def _lock(self, cmd):
        cache, folder = shlex.quote(self.get_option("cache")), shlex.quote(self.get_option("edit_folder"))
        begin = "rm -rf %s; mkdir -m 700 %s || exit" % (folder, folder)
        end = "status=$?; rm -rf %s; rm -f %s; exit $status" % (folder, cache)
        inside = "%s; %s; %s" % (begin, cmd, end)
        return "%s /bin/sh -c %s" % (self.get_option("lock_command").strip(), shlex.quote(inside))

"""Runs one task inside pfSense's own configuration lock, and drops pfSense's cache in the same breath.

pfSense loads its configuration from a cache: whoever saves between an edit of the file and the removal of the
cache writes the old configuration back, and the edit is gone without a trace. A task that uses this plugin reads,
checks and replaces the file while nobody else may, and the cache is gone before the lock is.

An interpreter with a lock command in front does the same on older Ansibles; from 2.19 on Ansible quotes the
interpreter as one word. Wrapping the command is what become plugins are for.
"""

from __future__ import annotations

DOCUMENTATION = """
name: pfsense_lock
short_description: Inside pfSense's configuration lock
description:
  - Wraps the command of a task in pfSense's lock, and in sudo where O(escalate) says so.
author: Firebreak
version_added: "0.1"
options:
  lock_command:
    description: Takes the lock and runs the words that follow. Empty runs without it, as in check mode.
    default: ""
    vars: [{name: pfsense_lock_words}]
  cache:
    description: The file that pfSense would read instead of its configuration.
    default: /tmp/config.cache
    vars: [{name: pfsense_config_cache}]
  edit_folder:
    description: >-
      Where the task keeps its working copy. Made anew inside the lock and gone before the lock is, so that what a
      power cut left there does not outlive the next edit.
    default: /cf/conf/.firebreak
    vars: [{name: pfsense_edit_folder}]
  escalate:
    description: Whether the login user has to become root first.
    type: bool
    default: false
    vars: [{name: pfsense_lock_escalate}]
  become_user:
    description: Always empty, which sudo reads as root. With a name here, Ansible skips the plugin for that login.
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
    description: Never set; newer Ansibles ask for it.
  become_pass:
    description: Password of sudo.
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

"""The error with which our modules stop. Runs on the firewall, with Python 3.6 and up."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class Refusal(Exception):
    """Why the role stops, with a code of the documented table."""

    def __init__(self, code, message):
        super(Refusal, self).__init__(message)
        self.code = code
        self.message = message

    def result(self):
        return {"failed": True, "msg": self.message, "firebreak_error": {"code": self.code, "message": self.message}}

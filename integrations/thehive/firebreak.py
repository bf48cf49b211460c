#!/usr/bin/env python3
"""A responder of Cortex: sends an observable of TheHive to firebreak serve (docs/serve.md, "TheHive")."""
import json
import os
import sys
import urllib.error
import urllib.request


def read_job(arguments):
    """The job's document, and where its result goes: files in the job's folder, or stdin and stdout."""
    if arguments:
        folder = arguments[0]
        with open(os.path.join(folder, "input", "input.json"), encoding="utf-8") as file:
            return json.load(file), os.path.join(folder, "output", "output.json")
    return json.load(sys.stdin), None


def post(job):
    config = job["config"]
    body = json.dumps({"data": job["data"]}).encode("utf-8")
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + config["token"]}
    request = urllib.request.Request(config["url"] + "?wait=30s", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=45) as answer:
            return True, json.loads(answer.read().decode("utf-8"))
    except urllib.error.HTTPError as error:
        return False, error.read(4096).decode("utf-8", "replace")
    except OSError as error:
        return False, str(error)


def main():
    job, output = read_job(sys.argv[1:])
    worked, answer = post(job)
    if worked and answer["alarms"] == []:
        worked, answer = False, "only observables of the type ip can be blocked"
    result = {"success": True, "full": answer, "operations": []} if worked else {"success": False, "errorMessage": answer}
    text = json.dumps(result)
    if output is None:
        print(text)
        return
    os.makedirs(os.path.dirname(output), exist_ok=True)
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()

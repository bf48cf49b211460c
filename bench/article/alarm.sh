#!/bin/sh
# The script on the SIEM, as a plain author writes it: alarm.sh SRC_IP DST_IP DST_PORT.
# ARTICLE_SSH says how to reach the Ansible host: a password on the command line, or sshpass with a file.
$ARTICLE_SSH "sh article/launcher.sh $1 $2 $3 wan block inet blocked for ssh anomaly"

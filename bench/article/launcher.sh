#!/bin/sh
# The script on the Ansible host: is the firewall there, then the playbook.
cd "$(dirname "$0")" || exit 1
sourceip=$1 destinationip=$2 destinationport=$3 interface=$4 type=$5 ipproto=$6
shift 6
ansible -i hosts firewall -m ping || exit 1
ansible-playbook -i hosts block.yml -e "sourceip=$sourceip destinationip=$destinationip \
  destinationport=$destinationport interface=$interface type=$type ipproto=$ipproto description='$*'"

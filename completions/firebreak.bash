# Completions of firebreak for bash. Made by scripts/manual.mjs from the program's own table of options.

_firebreak_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_firebreak_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
}

_firebreak() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local every='--config --json --help --version' command='' word
  COMPREPLY=()
  # bash takes --option=value apart at the sign
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $previous in
    --config | --state-dir | --authorized-key | --key-file | --password-file | --known-hosts-file | --script | --spool | --root) _firebreak_files && return ;;
    --src-ip | --dst-ip | --dst-port | --interface | --description | --for | --event-id | --backlog-id | --plugin-id | --plugin-sid | --risk | --sensor | --firewall | --override-policy | --id | --format | --column | --source | --since | --anchor | --host | --name | --user | --port | --mail-to | --explain | -c | --command | --spool-most | --spool-days | --connect-timeout | --timeout | --owner) : && return ;;
    --type) _firebreak_words 'block reject' && return ;;
    --ipproto) _firebreak_words 'inet inet6' && return ;;
    --protocol) _firebreak_words 'tcp udp tcp/udp icmp any' && return ;;
    --state) _firebreak_words 'held pending active releasing released refused failed all' && return ;;
  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      block | unblock | import | approve | reject | retry | freeze | unfreeze | list | show | check | report | audit | drain | expire | reconcile | init | doctor | config | gateway | sensor | install | uninstall)
        command=$word
        break
        ;;
    esac
  done
  if [[ $current != -* ]]; then
    case $command in
      '') _firebreak_words 'block unblock import approve reject retry freeze unfreeze list show check report audit drain expire reconcile init doctor config gateway sensor install uninstall' ;;
      import | audit) _firebreak_files ;;
    esac
    return
  fi
  case $command in
    '') _firebreak_words "$every" ;;
    block) _firebreak_words "--src-ip --dst-ip --dst-port --interface --type --ipproto --description --protocol --for --event-id --backlog-id --plugin-id --plugin-sid --risk --sensor --firewall --override-policy --recheck --check --no-wait $every" ;;
    unblock) _firebreak_words "--id --firewall --check --no-wait $every" ;;
    import) _firebreak_words "--dst-ip --dst-port --interface --description --protocol --for --format --column --skip-bad --firewall --no-wait $every" ;;
    approve) _firebreak_words "--all $every" ;;
    reject) _firebreak_words "--all $every" ;;
    retry) _firebreak_words "--all $every" ;;
    freeze) _firebreak_words " $every" ;;
    unfreeze) _firebreak_words " $every" ;;
    list) _firebreak_words "--state --source --firewall --csv $every" ;;
    show) _firebreak_words " $every" ;;
    check) _firebreak_words " $every" ;;
    report) _firebreak_words "--since --format $every" ;;
    audit) _firebreak_words "--verify --anchor $every" ;;
    drain) _firebreak_words " $every" ;;
    expire) _firebreak_words " $every" ;;
    reconcile) _firebreak_words "--fix --firewall $every" ;;
    init) _firebreak_words "--host --name --user --port --state-dir --mail-to --key $every" ;;
    doctor) _firebreak_words "--send --firewall $every" ;;
    config) _firebreak_words "--explain $every" ;;
    gateway) _firebreak_words "--authorized-key -c $every" ;;
    sensor) _firebreak_words "--host --user --port --key-file --password-file --known-hosts-file --command --script --spool --spool-most --spool-days --connect-timeout --timeout --check $every" ;;
    install) _firebreak_words "--systemd --user --owner --root --yes --dry-run $every" ;;
    uninstall) _firebreak_words "--root --yes --dry-run $every" ;;
  esac
}

complete -F _firebreak firebreak

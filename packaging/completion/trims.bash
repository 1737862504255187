# bash completion for trims. Needs nothing but bash.
#   source <(trims completion bash)        for this shell
#   /usr/share/bash-completion/completions/trims   for all (the packages put it there)

# The models of a running daemon; none is started for the sake of a completion.
_trims_references() {
  "${_trims_program:-trims}" --no-autostart ls --quiet 2>/dev/null
}

# Their aliases, from the first column of the table.
_trims_aliases() {
  "${_trims_program:-trims}" --no-autostart alias 2>/dev/null | sed -n '2,$s/ .*//p'
}

# Fills COMPREPLY with those of the given lines that begin with $_trims_current. bash has split the current word at ':' and
# '=', and replaces only what comes after the last of them, so what comes before is cut off the answers.
_trims_reply() {
  local line before=""
  case $_trims_current in
    *[:=]*) before=${_trims_current%"${_trims_current##*[:=]}"} ;;
  esac
  COMPREPLY=()
  while IFS= read -r line; do
    [[ -n $line && $line == "$_trims_current"* ]] && COMPREPLY+=("${line#"$before"}")
  done
}

_trims_files() {
  local line
  compopt -o filenames 2>/dev/null
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$_trims_current")
}

_trims() {
  local commands="add ls show rm status verify policy pin unpin prefetch evict demote keep-alive drain alias rollback push top explain events trace doctor version completion"
  local evictions="worth never lru fifo lcu flush eager gdsf s3fifo"
  local globals="--json --socket --no-autostart --color --help"
  local _trims_program=$1 _trims_current typed=${COMP_LINE:0:COMP_POINT}
  local -a words
  read -ra words <<<"$typed"
  # Words as the shell's user sees them, not as bash splits them.
  _trims_current=""
  if [[ $typed != *[[:space:]] ]]; then
    _trims_current=${words[-1]}
    unset 'words[-1]'
  fi

  local word previous="" command="" places=0 skip=""
  for word in "${words[@]:1}"; do
    previous=$word
    if [[ -n $skip ]]; then skip=""; continue; fi
    case $word in
      --socket | --color | --variant | --precision | --granularity | --keep-versions | --keep-for | --onnxruntime-extension | --rate | --eviction | --admission | --quota | --reclaim | --tier | --delete | --since | --kind | --model | --count | --interval | --out | --for) skip=1 ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else places=$((places + 1)); fi ;;
    esac
  done

  case $previous in
    --socket | --onnxruntime-extension | --out) _trims_files; return ;;
    --color) _trims_reply <<<$'auto\nnever'; return ;;
    --eviction) _trims_reply <<<"${evictions// /$'\n'}"; return ;;
    --admission) _trims_reply <<<$'all\ntinylfu'; return ;;
    --reclaim) _trims_reply <<<$'eager\nlazy\n10m'; return ;;
    --granularity) _trims_reply <<<$'model\nblock\nlayer'; return ;;
    --kind) _trims_reply <<<$'segment\nmodel\nalias\npolicy\ndrain\nleases\nopen'; return ;;
    --model) _trims_reply < <(_trims_references); return ;;
    --delete) _trims_reply < <(_trims_aliases); return ;;
    --variant) _trims_reply <<<$'files\ntensors\nort'; return ;;
  esac
  case $_trims_current in
    --color=*) _trims_reply <<<$'--color=auto\n--color=never'; return ;;
    --variant=*) _trims_reply <<<$'--variant=files\n--variant=tensors\n--variant=ort'; return ;;
    --eviction=*) _trims_reply <<<"--eviction=${evictions// /$'\n'--eviction=}"; return ;;
    --admission=*) _trims_reply <<<$'--admission=all\n--admission=tinylfu'; return ;;
    --granularity=*) _trims_reply <<<$'--granularity=model\n--granularity=block\n--granularity=layer'; return ;;
    --reclaim=*) _trims_reply <<<$'--reclaim=eager\n--reclaim=lazy\n--reclaim=10m'; return ;;
    -*)
      local flags=$globals
      [[ $command == add ]] && flags+=" --variant --precision --granularity --keep-versions --keep-for --follow-links --onnxruntime-extension"
      [[ $command == verify ]] && flags+=" --rate"
      [[ $command == policy ]] && flags+=" --eviction --admission --reclaim --budget --quota --tier"
      [[ $command == ls ]] && flags+=" --quiet"
      [[ $command == pin || $command == unpin || $command == prefetch || $command == evict || $command == demote || $command == explain ]] && flags+=" --variant --tier"
      [[ $command == prefetch ]] && flags+=" --no-wait"
      [[ $command == evict || $command == demote ]] && flags+=" --when-idle"
      [[ $command == drain ]] && flags+=" --off --wait"
      [[ $command == top ]] && flags+=" --interval --count"
      [[ $command == events ]] && flags+=" --since --kind --model --opens --no-follow --count"
      [[ $command == trace ]] && flags+=" --out --for --model --count"
      [[ $command == alias ]] && flags+=" --delete"
      _trims_reply <<<"${flags// /$'\n'}"
      return
      ;;
  esac
  case $command:$places in
    :*) _trims_reply <<<"${commands// /$'\n'}" ;;
    add:1 | push:1) _trims_files ;;
    trace:0) _trims_reply <<<$'record\nexport\ncombine\nsummarise' ;;
    trace:*) _trims_files ;;
    show:0 | rm:0 | verify:0 | push:0 | pin:0 | unpin:0 | prefetch:0 | evict:0 | demote:0 | keep-alive:0 | explain:0) _trims_reply < <(_trims_references) ;;
    rollback:0) _trims_reply < <(_trims_aliases) ;;
    alias:0) [[ $_trims_current == *=* ]] && _trims_reply < <(_trims_references | sed "s|^|${_trims_current%%=*}=|") ;;
    completion:0) _trims_reply <<<bash ;;
    *) COMPREPLY=() ;;
  esac
}

complete -F _trims trims

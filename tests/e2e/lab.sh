#!/bin/sh
# lab.sh up DIR | down DIR | cut DIR I | mend DIR I
# Four machines for tests, as network namespaces on a bridge, each with an sshd: 10.77.0.1 to .4.
# Their names are PREFIX-1 to PREFIX-4, with PREFIX in DIR/prefix; DIR/ssh_config is for ssh -F.
# Says on stderr why there can be none, and ends with 77. FORNIX_LAB_TMP is their TMPDIR.
set -eu
dir=$2

none() {
	echo "lab: $1" >&2
	exit 77
}

up() {
	[ "$(id -u)" -eq 0 ] || none "only root makes network namespaces"
	for tool in ip ssh ssh-keygen; do
		command -v $tool >/dev/null 2>&1 || none "there is no $tool (iproute2, openssh-client)"
	done
	[ -x /usr/sbin/sshd ] || none "there is no sshd (openssh-server)"
	prefix=fx$$
	ip netns add $prefix-0 2>/dev/null || none "network namespaces are not allowed here"
	echo $prefix >"$dir/prefix"
	ip -n $prefix-0 link add br0 type bridge || none "there are no bridges here"
	ip -n $prefix-0 link set br0 up
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/user_key"
	cp "$dir/user_key.pub" "$dir/authorized"
	for i in 1 2 3 4; do
		echo "10.77.0.$i $(cut -d' ' -f1,2 "$dir/host_key.pub")" >>"$dir/known"
		ip netns add $prefix-$i
		ip -n $prefix-$i link add eth0 type veth peer name p$i netns $prefix-0
		ip -n $prefix-0 link set p$i master br0 up
		ip -n $prefix-$i addr add 10.77.0.$i/24 dev eth0
		ip -n $prefix-$i link set eth0 up
		ip -n $prefix-$i link set lo up
		cat >"$dir/sshd$i" <<-END
			ListenAddress 10.77.0.$i
			HostKey $dir/host_key
			AuthorizedKeysFile $dir/authorized
			PidFile $dir/sshd$i.pid
			UsePAM no
			StrictModes no
			PermitRootLogin prohibit-password
			SetEnv TMPDIR=$FORNIX_LAB_TMP
		END
		ip netns exec $prefix-$i /usr/sbin/sshd -f "$dir/sshd$i"
	done
	cat >"$dir/ssh_config" <<-END
		IdentityFile $dir/user_key
		IdentitiesOnly yes
		UserKnownHostsFile $dir/known
		StrictHostKeyChecking yes
		LogLevel ERROR
	END
}

down() {
	[ -f "$dir/prefix" ] || exit 0
	prefix=$(cat "$dir/prefix")
	for i in 1 2 3 4; do
		[ ! -f "$dir/sshd$i.pid" ] || kill "$(cat "$dir/sshd$i.pid")" 2>/dev/null || :
		ip netns pids $prefix-$i 2>/dev/null | xargs -r kill -9 2>/dev/null || :
	done
	for i in 0 1 2 3 4; do
		ip netns del $prefix-$i 2>/dev/null || :
	done
}

case $1 in
up) up ;;
down) down ;;
cut) ip -n "$(cat "$dir/prefix")-0" link set "p$3" down ;;
mend) ip -n "$(cat "$dir/prefix")-0" link set "p$3" up ;;
*) echo "lab: up, down, cut or mend" >&2 && exit 2 ;;
esac

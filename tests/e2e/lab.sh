#!/bin/sh
# lab.sh up DIR | slurm DIR | requeue DIR | down DIR | cut DIR I | mend DIR I | rate DIR I RATE
# Four machines for tests, as network namespaces on a bridge, each with an sshd: 10.77.0.1 to .4.
# Their names are PREFIX-1 to PREFIX-4, with PREFIX in DIR/prefix; DIR/ssh_config is for ssh -F.
# slurm makes them a Slurm cluster as well, nodes h1 to h4: DIR/slurm.conf is for SLURM_CONF.
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
		ip netns add $prefix-$i || none "no further network namespace"
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
		ip netns exec $prefix-$i /usr/sbin/sshd -f "$dir/sshd$i" || none "sshd does not start"
		tries=0
		until [ -s "$dir/sshd$i.pid" ]; do # written when it listens
			tries=$((tries + 1))
			[ $tries -lt 300 ] || none "sshd does not listen"
			sleep 0.2
		done
	done
	cat >"$dir/ssh_config" <<-END
		IdentityFile $dir/user_key
		IdentitiesOnly yes
		UserKnownHostsFile $dir/known
		StrictHostKeyChecking yes
		LogLevel ERROR
	END
}

# A program on machine $1, with its hostname; not by ip netns exec, which hides /sys/fs/cgroup.
on() {
	machine=$1
	shift
	nsenter --net="/run/netns/$prefix-$machine" unshare --uts \
		sh -c 'hostname "$0"; exec "$@"' "h$machine" "$@"
}

slurm() {
	for tool in slurmctld slurmd munged; do
		command -v $tool >/dev/null 2>&1 || [ -x /usr/sbin/$tool ] ||
			none "there is no $tool (slurm-wlm, munge)"
	done
	prefix=$(cat "$dir/prefix")
	dd if=/dev/urandom of="$dir/munge.key" bs=128 count=1 2>/dev/null
	chmod 600 "$dir/munge.key"
	munged --force --key-file="$dir/munge.key" --socket="$dir/munge" \
		--pid-file="$dir/munge.pid" --log-file="$dir/munge.log" \
		--seed-file="$dir/munge.seed" || none "munged does not start"
	cat >"$dir/slurm.conf" <<-END
		ClusterName=lab
		SlurmctldHost=h1(10.77.0.1)
		SlurmUser=root
		SlurmdUser=root
		AuthType=auth/munge
		AuthInfo=socket=$dir/munge,cred_expire=15
		CredType=cred/munge
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		AccountingStorageType=accounting_storage/none
		JobCompType=jobcomp/none
		SwitchType=switch/none
		MpiDefault=none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_Core
		SlurmdParameters=config_overrides
		ReturnToService=2
		SlurmdTimeout=30
		KillWait=3
		SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=0
		StateSaveLocation=$dir/state
		SlurmdSpoolDir=$dir/spool-%n
		SlurmctldPidFile=$dir/slurmctld.pid
		SlurmdPidFile=$dir/slurmd-%n.pid
		SlurmctldLogFile=$dir/slurmctld.log
		SlurmdLogFile=$dir/slurmd-%n.log
		PartitionName=all Nodes=ALL Default=YES State=UP
	END
	for i in 1 2 3 4; do
		echo "NodeName=h$i NodeAddr=10.77.0.$i CPUs=4 State=UNKNOWN" >>"$dir/slurm.conf"
	done
	export SLURM_CONF="$dir/slurm.conf"
	on 1 slurmctld || none "slurmctld does not start"
	for i in 1 2 3 4; do
		TMPDIR=$FORNIX_LAB_TMP on $i slurmd -N h$i || none "slurmd does not start"
	done
	tries=0
	until [ "$(on 1 sinfo -h -t idle -o %D 2>/dev/null)" = 4 ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || none "the Slurm nodes do not come up: $(tail -1 "$dir/slurmctld.log")"
		sleep 0.2
	done
}

down() {
	[ -f "$dir/prefix" ] || exit 0
	prefix=$(cat "$dir/prefix")
	for i in 1 2 3 4; do
		[ ! -f "$dir/sshd$i.pid" ] || kill "$(cat "$dir/sshd$i.pid")" 2>/dev/null || :
		[ ! -f "$dir/slurmd-h$i.pid" ] || kill "$(cat "$dir/slurmd-h$i.pid")" 2>/dev/null || :
		ip netns pids $prefix-$i 2>/dev/null | xargs -r kill -9 2>/dev/null || :
	done
	[ ! -f "$dir/munge.pid" ] || kill "$(cat "$dir/munge.pid")" 2>/dev/null || :
	for i in 0 1 2 3 4; do
		ip netns del $prefix-$i 2>/dev/null || :
	done
}

# The only job is sent back to the queue, from which it starts again when its credentials have expired.
requeue() {
	prefix=$(cat "$dir/prefix")
	export SLURM_CONF="$dir/slurm.conf"
	on 1 scontrol requeue "$(on 1 squeue -h -o %A)"
}

case $1 in
up) up ;;
requeue) requeue ;;
slurm) slurm ;;
down) down ;;
cut) ip -n "$(cat "$dir/prefix")-0" link set "p$3" down ;;
mend) ip -n "$(cat "$dir/prefix")-0" link set "p$3" up ;;
rate) # what machine I sends, and is sent, is at most RATE, such as 100mbit
	prefix=$(cat "$dir/prefix")
	command -v tc >/dev/null 2>&1 || none "there is no tc (iproute2)"
	tc -n "$prefix-$3" qdisc replace dev eth0 root tbf rate "$4" burst 64kb latency 100ms ||
		none "rates cannot be limited here (tbf)"
	tc -n "$prefix-0" qdisc replace dev "p$3" root tbf rate "$4" burst 64kb latency 100ms
	;;
*) echo "lab: up, slurm, requeue, down, cut, mend or rate" >&2 && exit 2 ;;
esac

#!/bin/bash
# All GPU figures in one go, each step under its own limit: bash benchmarks/gpu.sh OUT
# OUT gets log.txt and results.tgz as it goes. Take the sizes down with SMALL=1 (a rehearsal on a CPU).
out=$1
results=/tmp/gpu-results
device=${SMALL:+cpu}
device=${device:-cuda}
export HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 TOKENIZERS_PARALLELISM=false PYTHONUNBUFFERED=1 PYTHONPATH=$PYTHONPATH:$PWD
mkdir -p "$results"
step() {
  limit=$1
  shift
  echo "=== $(date +%T) $*"
  timeout "$limit" "$@" 2>&1 | tr '\r' '\n' | grep -vE "examples/s|^\{'|^$" | tail -n 60
  tar czf "$out/results.tgz" -C "$results" .
}
train() { step "$1" python3 -m benchmarks.training --device "$device" --shape "$2" --method "$3" --steps "$4" --pairs "$5" --out "$results"; }
{
  nvidia-smi --query-gpu=name,driver_version,memory.used --format=csv,noheader
  train 60 tiny qlora 2 1
  step 80 python3 -m pytest -q --maxfail=20 tests/test_finetune_tune_arms.py tests/test_finetune_trainer.py \
    tests/test_baselines_generate.py tests/test_baselines_choose.py tests/test_finetune_bnb_eval.py
  if [ -n "$SMALL" ]; then
    train 100 tiny lora 3 1
    step 60 python3 -m benchmarks.scoring --device cpu --model tiny --rows 8 --peer-rows 1 --pairs 1 --out "$results"
  else
    train 80 1.1B lora 12 3
    train 80 1.1B qlora 12 3
    train 100 7B qlora 6 2
    step 75 python3 -m benchmarks.memory --out "$results"
    step 75 python3 -m benchmarks.scoring --device cuda --model 1.1B --rows 128 --peer-rows 8 --pairs 1 --out "$results"
  fi
  echo "=== $(date +%T) done"
} 2>&1 | tee "$out/log.txt"

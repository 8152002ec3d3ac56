# The two commands are `make train` and `make test`; `make help` lists the rest.
NIN := artifacts/bin/nin/release/nin

.DEFAULT_GOAL := help
.PHONY: help bootstrap build train test fuzz fuzz-coverage kill-test soak fault-sweep sanitize valgrind audit examples bench dist pack public-api docs format clean

help: ## Lists the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 14

bootstrap: ## Installs what the build needs, or says what is missing
	@scripts/bootstrap.sh

build: bootstrap ## Builds everything into artifacts/
	@dotnet build NinCudnn.sln --configuration Release --nologo --verbosity quiet

train: build ## Trains the seed network on Fashion-MNIST with the recipe `quick` (within 8 minutes on 2 cores)
	@$(NIN) train --recipe quick

test: ## Builds and runs all tests
	@scripts/test.sh

fuzz: build ## Tries inputs that are nearly right on all that reads files, FUZZ_SECONDS for each kind (60), from seed FUZZ_SEED (the time)
	@NIN_FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) NIN_FUZZ_SEED=$(or $(FUZZ_SEED),$(shell date +%s)) NIN_FUZZ_FINDINGS=artifacts/fuzz \
		artifacts/bin/NinCudnn.Fuzz/release/NinCudnn.Fuzz -class NinCudnn.Fuzz.FuzzTests -noLogo -noColor -showLiveOutput

fuzz-coverage: bootstrap ## Lets AFL++ find inputs by the branches that they reach, FUZZ_SECONDS for each of FUZZ_TARGETS (60, all)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_TARGETS="$(FUZZ_TARGETS)" scripts/fuzz-coverage.sh

soak: build ## Trains SOAK_STEPS steps (20000), and again and again, and checks that nothing grows
	@NIN_SOAK_STEPS=$(or $(SOAK_STEPS),20000) artifacts/bin/NinCudnn.Tests/release/NinCudnn.Tests -class NinCudnn.Tests.Training.SoakTests \
		-noLogo -noColor -showLiveOutput

fault-sweep: build ## Lets every native call of a training run fail once, with every plausible status
	@NIN_TEST_SWEEP=all artifacts/bin/Nin.Tests/release/Nin.Tests -class Nin.Tests.FaultSweepTests -noLogo -noColor -showLiveOutput

kill-test: build ## Kills trainings at random moments and goes on, KILLS times (100), from seed KILL_SEED (1)
	@NIN_KILLS=$(KILLS) NIN_KILL_SEED=$(KILL_SEED) artifacts/bin/Nin.Tests/release/Nin.Tests -class Nin.Tests.KillTests -noLogo -noColor -showLiveOutput

sanitize: bootstrap ## Runs the native tests with AddressSanitizer and UndefinedBehaviorSanitizer, and those of the driver with ThreadSanitizer
	@scripts/sanitize.sh

valgrind: bootstrap ## Runs native tests of driver and kernels under valgrind's memcheck
	@scripts/valgrind.sh

audit: build ## Asks the registry for known vulnerabilities of the packages that the solution uses
	@scripts/audit.sh

examples: build ## Runs the examples, short
	@examples/run.sh

bench: ## Measures speed and memory beside TorchSharp and writes bench/results/DATE-MACHINE.md
	@bench/run.sh

dist: bootstrap ## Builds artifacts/dist/nin-VERSION-linux-x64.tar.xz, which needs no .NET
	@scripts/dist.sh
	@tests/dist/run.sh

pack: bootstrap ## Builds the NuGet packages into artifacts/packages and tries them in a fresh project
	@scripts/pack.sh
	@tests/package/run.sh

public-api: ## Brings managed/*/PublicAPI.Unshipped.txt up to date after the public interface has changed
	@scripts/public-api.sh

docs: build ## Renews docs/cli.md and docs/schemas/, which are made of the program
	@$(NIN) reference >docs/cli.md
	@for kind in arch recipe config; do $(NIN) $$kind schema >docs/schemas/$$kind.schema.json; done

format: ## Formats the C# and C++ sources
	@dotnet format NinCudnn.sln
	@clang-format -i $$(git ls-files '*.cpp' '*.h' '*.cu')

clean: ## Deletes everything that was built
	@rm -rf artifacts

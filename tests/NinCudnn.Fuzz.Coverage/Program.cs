using System.Globalization;
using System.Runtime.InteropServices;
using NinCudnn.Fuzz;
using SharpFuzz;
using SharpFuzz.Common;

// Lets AFL++ try inputs of one target: scripts/fuzz-coverage.sh.
//   NinCudnn.Fuzz.Coverage                      names the targets
//   NinCudnn.Fuzz.Coverage TARGET               tries inputs as afl-fuzz sends them; what a target throws is a crash
//   NinCudnn.Fuzz.Coverage TARGET --corpus DIR  writes the inputs that it starts from: those that are right, and earlier findings
unsafe
{
    // Instrumented code counts here until Fuzzer puts afl-fuzz's memory in its place: the targets' own inputs are made by such.
    Trace.SharedMem = (byte*)NativeMemory.AllocZeroed(1 << 16);
}
if (args.Length == 0)
{
    foreach (FuzzTarget each in FuzzTargets.All)
        Console.WriteLine(each.Name);
    return 0;
}
if (FuzzTargets.All.FirstOrDefault(each => each.Name == args[0]) is not { } target)
{
    Console.Error.WriteLine($"there is no target {args[0]}; there are {string.Join(", ", FuzzTargets.All.Select(each => each.Name))}");
    return 1;
}
if (args is [_, "--corpus", var directory])
{
    Directory.CreateDirectory(directory);
    int number = 0;
    foreach (byte[] input in target.Corpus.Concat(FuzzTargets.EarlierFindings(target).Select(File.ReadAllBytes)))
        File.WriteAllBytes(Path.Combine(directory, (number++).ToString(CultureInfo.InvariantCulture)), input);
    return 0;
}
using var run = new FuzzRun(target, findings: "");
Fuzzer.OutOfProcess.Run(stream =>
{
    var input = new MemoryStream();
    stream.CopyTo(input);
    run.Try(input.ToArray());
});
return 0;

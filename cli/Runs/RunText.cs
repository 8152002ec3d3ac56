using System.Globalization;
using System.Text.Json;
using NinCudnn.Cli.Output;
using NinCudnn.Devices;

namespace NinCudnn.Cli.Runs;

/// <summary>A run's particulars by name, as people read and compare them.</summary>
internal static class RunText
{
    private const int HashDigits = 12; // enough to tell data sets apart

    /// <summary>What was asked for: the network, the recipe with all its values, and how it was carried out.</summary>
    public static (string Name, string Value)[] Options(RunDocument run) =>
    [
        ("network", run.Start.Architecture),
        ("parameters", run.Start.Parameters.ToString("N0", CultureInfo.InvariantCulture)),
        .. run.Recipe.EnumerateObject().SelectMany(member => Members(member.Name == "name" ? "recipe" : member.Name, member.Value)),
        ("seed", Text(run.Start.Seed)),
        ("algorithms", run.Execution.Algorithms),
        ("deterministic", YesNo(run.Execution.Deterministic)),
        ("workspace limit", ByteSize.Format(run.Execution.WorkspaceLimit)),
        ("data placement", run.Execution.DataPlacement),
    ];

    /// <summary>What it learned from.</summary>
    public static (string Name, string Value)[] Data(RunDocument run) =>
    [
        ("data", $"{run.Data.Name}, {run.Data.Classes.Count} classes, {run.Data.Height}×{run.Data.Width}×{run.Data.Channels}"),
        ("training set", Describe(run.Data.Train)),
        ("test set", Describe(run.Data.Test)),
    ];

    /// <summary>What it ran on.</summary>
    public static (string Name, string Value)[] Versions(RunDocument run)
    {
        RunVersions versions = run.Versions;
        return
        [
            ("nin", versions.Nin),
            (".NET", versions.Dotnet),
            ("system", versions.System),
            versions.Onednn is { } onednn
                ? ("oneDNN", onednn)
                : ("CUDA", $"{versions.Driver}, cuDNN {versions.Cudnn}, cuBLAS {versions.Cublas}, cuBLASLt {versions.CublasLt}"),
        ];
    }

    /// <summary>How it ended; dashes where it has not.</summary>
    public static (string Name, string Value)[] Result(RunDocument run) =>
    [
        ("status", run.Status),
        ("epochs done", Text(run.End?.Epoch)),
        ("train loss", ConfusionText.Share(run.End?.TrainLoss)),
        ("train accuracy", ConfusionText.Share(run.End?.TrainAccuracy)),
        ("test loss", ConfusionText.Share(run.End?.TestLoss)),
        ("test accuracy", ConfusionText.Share(run.End?.TestAccuracy)),
        ("samples/s", run.End is { } end ? end.SamplesPerSecond.ToString("0", CultureInfo.InvariantCulture) : "-"),
        ("time", run.End is { } ended ? ReportText.Duration(TimeSpan.FromSeconds(ended.Seconds)) : "-"),
    ];

    /// <summary>A JSON value under its name, an object's members under the object's name and theirs.</summary>
    private static IEnumerable<(string Name, string Value)> Members(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Members(member.Name == "type" ? name : $"{name} {member.Name}", member.Value)),
        JsonValueKind.True or JsonValueKind.False => [(Words(name), YesNo(value.GetBoolean()))],
        JsonValueKind.Null => [(Words(name), "none")],
        _ => [(Words(name), value.ToString())],
    };

    private static string Words(string name) => name.Replace('_', ' ');

    private static string Describe(RunSplit split) => string.Create(
        CultureInfo.InvariantCulture, $"{split.Samples:N0} images {Short(split.ImagesSha1)}, labels {Short(split.LabelsSha1)}");

    private static string Short(string hash) => hash.Length > HashDigits ? hash[..HashDigits] : hash;

    private static string Text(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "-";

    private static string YesNo(bool value) => value ? "yes" : "no";
}

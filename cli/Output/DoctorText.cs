using NinCudnn.Devices;
using NinCudnn.Diagnostics;
using NinCudnn.Interop;
using NinCudnn.Operators;

namespace NinCudnn.Cli.Output;

/// <summary>A diagnosis for people: a table of all checks, what to do about failures, and one line that sums it up.</summary>
internal static class DoctorText
{
    // A longer detail is a message of a library; JSON has it in full, and failures are repeated below the table.
    private const int MaxDetail = 140;
    private const int MaxFailuresInFull = 3;

    private static readonly string[] _header = ["status", "check", "type", "time in ms", "detail"];

    public static void Write(TextWriter output, DeviceRequest request, DiagnosticReport report)
    {
        TextTable.Write(output, _header, [.. report.Checks.Select(Row)], firstNumber: _header.Length);
        output.WriteLine();
        WriteFailures(output, report);
        output.WriteLine(Summary(request, report));
    }

    /// <summary>The status as users read it.</summary>
    public static string Name(CheckStatus status) => status switch
    {
        CheckStatus.Passed => "passed",
        CheckStatus.Failed => "failed",
        CheckStatus.NotSupported => "not supported",
        _ => "skipped",
    };

    /// <summary>The element type as users read it.</summary>
    public static string Name(DataType type) => type switch
    {
        DataType.Float32 => "float32",
        DataType.BFloat16 => "bfloat16",
        _ => "float16",
    };

    /// <summary>The failures in full, those with the same remedy together: one cause often fails many checks.</summary>
    private static void WriteFailures(TextWriter output, DiagnosticReport report)
    {
        foreach (IGrouping<string?, CheckResult> failures in report.Checks.Where(check => check.Status == CheckStatus.Failed).GroupBy(check => check.Advice))
        {
            foreach (CheckResult check in failures.Take(MaxFailuresInFull))
                output.WriteLine($"FAILED {check.Name}{(check.DataType is { } type ? $" ({Name(type)})" : "")}: {check.Detail}");
            if (failures.Count() > MaxFailuresInFull)
                output.WriteLine($"and {failures.Count() - MaxFailuresInFull} more");
            output.WriteLine($"  {failures.Key}");
        }
    }

    private static string[] Row(CheckResult check) =>
    [
        check.Status == CheckStatus.Failed ? "FAILED" : Name(check.Status),
        check.Name,
        check.DataType is { } type ? Name(type) : "",
        FormattableString.Invariant($"{check.Elapsed.TotalMilliseconds,10:0.0}"),
        check.Detail.Length <= MaxDetail ? check.Detail : check.Detail[..(MaxDetail - 1)] + "…",
    ];

    private static string Summary(DeviceRequest request, DiagnosticReport report)
    {
        string counts = string.Join(", ", Enum.GetValues<CheckStatus>().Select(status => $"{report.Count(status)} {Name(status)}"));
        string where = report.Device is { } device
            ? $"on {device.Name} ({ByteSize.Format((long)device.TotalMemoryBytes)})"
            : $"no device for --device {request}";
        return FormattableString.Invariant(
            $"{counts} in {report.Elapsed.TotalSeconds:0.0} s, {where}: this installation {(report.IsHealthy ? "works" : "does NOT work")}");
    }
}

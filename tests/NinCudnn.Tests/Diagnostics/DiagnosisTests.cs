using NinCudnn.Devices;
using NinCudnn.Diagnostics;
using NinCudnn.Interop;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using Xunit;

namespace NinCudnn.Tests.Diagnostics;

public class DiagnosisTests
{
    private static readonly Check[] _checks = [.. Diagnosis.Checks(TestDevice.Shared.Selection)];

    public static TheoryData<int, string> ComparingChecks { get; } = new(
        _checks.Index().Where(item => item.Item.Group != "installation").Select(item => (item.Index, $"{item.Item.Name} {item.Item.DataType}")));

    [Fact]
    public void Run_WorkingInstallation_IsHealthy()
    {
        Device device = TestDevice.Shared; // makes the process's choice of a provider
        DeviceRequest request = device.Provider == NativeProvider.Host ? DeviceRequest.Cpu : DeviceRequest.Cuda(device.Selection.Ordinal);
        List<CheckResult> observed = [];

        DiagnosticReport report = Diagnosis.Run(request, observed.Add);

        Assert.Empty(report.Checks.Where(check => check.Status == CheckStatus.Failed).Select(check => $"{check.Name}: {check.Detail}"));
        Assert.True(report.IsHealthy);
        Assert.Equal(report.Checks, observed);
        Assert.Equal(_checks.Length + 1, report.Checks.Count); // and the provider
        Assert.Equal(device.Name, report.Device!.Name);
        Assert.All(report.Checks, check => Assert.NotEmpty(check.Detail));
        Assert.All(report.Checks, check => Assert.Null(check.Advice));
        // Training needs all of float32.
        Assert.All(report.Checks.Where(check => check.DataType == DataType.Float32), check => Assert.Equal(CheckStatus.Passed, check.Status));
    }

    [Theory]
    [MemberData(nameof(ComparingChecks))]
    public void Check_AnyWrongResult_Fails(int index, string name)
    {
        Check check = _checks[index];
        List<string> results = [];
        CheckResult untouched = Run(check, (result, _) => results.Add(result));
        Assert.SkipWhen(untouched.Status == CheckStatus.NotSupported, $"{name}: {untouched.Detail}");
        Assert.True(untouched.Status == CheckStatus.Passed, untouched.Detail);

        Assert.NotEmpty(results);
        foreach (string wrong in results.Distinct())
        {
            CheckResult result = Run(check, (name, values) =>
            {
                if (name == wrong)
                    values[values.Length / 2] += 1;
            });
            Assert.Equal(CheckStatus.Failed, result.Status);
            Assert.StartsWith(wrong + "[", result.Detail, StringComparison.Ordinal);
            Assert.Equal(check.Advice, result.Advice);
        }
    }

    private static CheckResult Run(Check check, Action<string, double[]> observeResult)
    {
        using DeviceStream stream = TestDevice.Shared.CreateStream();
        return new CheckRunner().Run(check, () => new CheckContext(stream, observeResult));
    }
}

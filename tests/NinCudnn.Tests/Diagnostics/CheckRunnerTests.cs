using NinCudnn.Diagnostics;
using NinCudnn.Interop;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Diagnostics;

public class CheckRunnerTests
{
    [Theory]
    [InlineData(DataType.BFloat16, CheckStatus.NotSupported)]
    [InlineData(DataType.Float16, CheckStatus.NotSupported)]
    [InlineData(DataType.Float32, CheckStatus.Failed)]
    [InlineData(null, CheckStatus.Failed)]
    public void Run_Refusal_IsAFailureOnlyWhereTrainingNeedsIt(DataType? type, CheckStatus expected)
    {
        Assert.Equal(expected, Run(type, () => throw new NotSupportedException("no algorithm")).Status);
        Assert.Equal(expected, Run(type, () => throw new CudnnException(cudnnStatus_t.CUDNN_STATUS_NOT_SUPPORTED, "f")).Status);
        Assert.Equal(expected, Run(type, () => throw new CublasException(cublasStatus_t.CUBLAS_STATUS_NOT_SUPPORTED, "f")).Status);
    }

    [Fact]
    public void Run_OtherExceptions_AreFailuresWithAdvice()
    {
        CheckResult result = Run(DataType.Float16, () => throw new CudnnException(cudnnStatus_t.CUDNN_STATUS_BAD_PARAM, "cudnnFoo"));

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("cudnnFoo", result.Detail, StringComparison.Ordinal);
        Assert.Equal("advice", result.Advice);
        Assert.Equal(CheckStatus.Failed, Run(null, () => throw new InvalidOperationException("unforeseen")).Status);
    }

    [Fact]
    public void Run_NothingToLookAt_IsSkipped() =>
        Assert.Equal(CheckStatus.Skipped, Run(null, () => throw new CheckSkippedException("none")).Status);

    [Fact]
    public void Run_AfterAFailure_GoesOn()
    {
        var runner = new CheckRunner(isDeviceLost: () => false);
        runner.Run(Check("first", null, () => throw new CheckFailedException("wrong")), () => null);
        runner.Run(Check("second", null, () => "found"), () => null);

        Assert.Equal([CheckStatus.Failed, CheckStatus.Passed], runner.Results.Select(result => result.Status));
    }

    [Fact]
    public void Run_AfterTheLossOfTheDevice_SkipsTheRestAndSaysWhy()
    {
        bool hasRun = false;
        var runner = new CheckRunner(isDeviceLost: () => true);
        CheckResult first = runner.Run(
            Check("first", null, () => throw new CudaException(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, "cuStreamSynchronize")), () => null);
        CheckResult second = runner.Run(
            Check("second", null, () =>
            {
                hasRun = true;
                return "found";
            }),
            () => null);

        Assert.Equal(CheckStatus.Failed, first.Status);
        Assert.Contains("loses the device", first.Advice, StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Skipped, second.Status);
        Assert.Contains("lost in the check \"first\"", second.Detail, StringComparison.Ordinal);
        Assert.False(hasRun);
    }

    private static CheckResult Run(DataType? type, Func<string> run) =>
        new CheckRunner(isDeviceLost: () => false).Run(Check("check", type, run), () => null);

    private static Check Check(string name, DataType? type, Func<string> run) => new("group", name, type, "advice", _ => run());
}

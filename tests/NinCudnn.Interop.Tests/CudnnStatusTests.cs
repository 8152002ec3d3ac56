using Xunit;

namespace NinCudnn.Interop.Tests;

public class CudnnStatusTests
{
    public static TheoryData<string, int, int> StatusNumbers { get; } = new(AbiFacts.Cudnn.StatusNumbers());

    [Theory]
    [MemberData(nameof(StatusNumbers))]
    public void ToVersion9_EitherNumber_IsVersion9s(string name, int version8, int version9)
    {
        Assert.NotEmpty(name);
        Assert.Equal(version9, (int)CudnnStatus.ToVersion9((cudnnStatus_t)version8));
        Assert.Equal(version9, (int)CudnnStatus.ToVersion9((cudnnStatus_t)version9));
        Assert.Equal(CudnnStatus.Category((cudnnStatus_t)version9), CudnnStatus.Category((cudnnStatus_t)version8));
    }

    [Theory]
    [InlineData(0, CudnnStatusCategory.Success)]
    [InlineData(1, CudnnStatusCategory.General)]
    [InlineData(2, CudnnStatusCategory.InternalError)]
    [InlineData(3, CudnnStatusCategory.BadParam)]
    [InlineData(5, CudnnStatusCategory.BadParam)]
    [InlineData(6, CudnnStatusCategory.NotSupported)]
    [InlineData(8, CudnnStatusCategory.ExecutionFailed)]
    [InlineData(9, CudnnStatusCategory.NotSupported)]
    [InlineData(999, CudnnStatusCategory.General)]
    [InlineData(1001, CudnnStatusCategory.General)]
    [InlineData(2009, CudnnStatusCategory.BadParam)]
    [InlineData(3000, CudnnStatusCategory.NotSupported)]
    [InlineData(3999, CudnnStatusCategory.NotSupported)]
    [InlineData(4004, CudnnStatusCategory.InternalError)]
    [InlineData(5003, CudnnStatusCategory.ExecutionFailed)]
    [InlineData(6001, (CudnnStatusCategory)6000)]
    public void Category_OfANumber_IsItsRange(int status, CudnnStatusCategory category) =>
        Assert.Equal(category, CudnnStatus.Category((cudnnStatus_t)status));

    [Theory]
    [InlineData(9, true)]
    [InlineData(6, true)]
    [InlineData(11, true)]
    [InlineData(3000, true)]
    [InlineData(3014, true)]
    [InlineData(3999, true)]
    [InlineData(0, false)]
    [InlineData(3, false)]
    [InlineData(8, false)]
    [InlineData(2999, false)]
    [InlineData(4000, false)]
    public void IsNotSupported_OfANumber_IsTheThreeThousands(int status, bool expected) =>
        Assert.Equal(expected, CudnnStatus.IsNotSupported((cudnnStatus_t)status));

    [Fact]
    public void CudnnException_Version8Number_HasTheNameInVersion9()
    {
        var exception = new CudnnException((cudnnStatus_t)9, "cudnnConvolutionForward", "x (1, 3, 8, 8) float NHWC");

        Assert.Equal("cudnnConvolutionForward failed: CUDNN_STATUS_NOT_SUPPORTED (9). x (1, 3, 8, 8) float NHWC", exception.Message);
        Assert.Equal(9, exception.Code);
    }
}

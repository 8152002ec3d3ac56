using System.Reflection;
using System.Runtime.InteropServices;
using Xunit;

namespace NinCudnn.Interop.Tests;

/// <summary>The comparer itself: each kind of mistake in a declaration must be found.</summary>
public class AbiComparerTests
{
    [Theory]
    [InlineData(nameof(WrongDeclarations.OneParameterLess), "6 parameters, the header has 7")]
    [InlineData(nameof(WrongDeclarations.TwoParametersSwapped), "parameter format is called dataType")]
    [InlineData(nameof(WrongDeclarations.TwoTypesSwapped), "parameter format is cudnnDataType_t")]
    [InlineData(nameof(WrongDeclarations.OtherHandle), "parameter tensorDesc is cudnnFilterDescriptor_t")]
    [InlineData(nameof(WrongDeclarations.WiderInteger), "parameter w has 8 bytes, the header 4")]
    [InlineData(nameof(WrongDeclarations.FloatForInteger), "parameter w is of kind float, in the header int")]
    [InlineData(nameof(WrongDeclarations.PointerForHandle), "parameter tensorDesc is of kind pointer, in the header handle")]
    [InlineData(nameof(WrongDeclarations.NothingReturned), "return value is Void")]
    public void Function_Wrong_IsFound(string declaration, string difference)
    {
        var fact = AbiFacts.Cudnn.Functions["cudnnSetTensor4dDescriptor"];

        Assert.Contains(
            AbiComparer.Function(WrongDeclarations.Method(declaration), fact),
            text => text.StartsWith(difference, StringComparison.Ordinal));
    }

    [Fact]
    public void Function_OutParameterOfAnotherSize_IsFound()
    {
        // The classic: a 32-bit place for a size_t. As parameters both are pointers of 8 bytes.
        var differences = AbiComparer.Function(
            WrongDeclarations.Method(nameof(WrongDeclarations.SmallerOutParameter)), AbiFacts.Driver.Functions["cuDeviceTotalMem_v2"]);

        Assert.Contains(differences, text => text.StartsWith("parameter bytes is", StringComparison.Ordinal));
    }

    [Fact]
    public void Function_Right_HasNoDifference() =>
        Assert.Empty(AbiComparer.Function(
            WrongDeclarations.Method(nameof(WrongDeclarations.Right)), AbiFacts.Cudnn.Functions["cudnnSetTensor4dDescriptor"]));

    [Fact]
    public void Import_OfAnOrdinaryMethod_IsFound() =>
        Assert.Equal(["is no native import"], AbiComparer.Import(WrongDeclarations.Method(nameof(WrongDeclarations.Right)), "cudnn"));

    [Fact]
    public void Import_FromAnotherLibrary_IsFound() =>
        Assert.Equal(
            ["comes from \"cuda\" instead of \"cudnn\""],
            AbiComparer.Import(typeof(Cuda).GetMethod(nameof(Cuda.cuInit))!, "cudnn"));

    [Theory]
    [InlineData(typeof(WrongValue), "CUDNN_TENSOR_NHWC is 2, in the header 1")]
    [InlineData(typeof(UnknownName), "CUDNN_TENSOR_CHWN is not in the header")]
    [InlineData(typeof(WrongSize), "has 1 bytes, a C enum 4")]
    public void Enumeration_Wrong_IsFound(Type declaration, string difference) =>
        Assert.Equal([difference], AbiComparer.Enumeration(declaration, AbiFacts.Cudnn.Enumerators("cudnnTensorFormat_t")!));

    [Theory]
    [InlineData(typeof(WithoutTail), "has 80 bytes, in the header 96")]
    [InlineData(typeof(WithoutTail), "has the fields algo, workspaceSize, state, wavesCount")]
    [InlineData(typeof(FieldsSwapped), "has the fields algo, workspaceSize, wavesCount, state, reserved")]
    [InlineData(typeof(PackedTight), "is aligned to 4, in the header 8")]
    [InlineData(typeof(FieldMoved), "state is at offset 76, in the header 72")]
    [InlineData(typeof(FieldNarrower), "workspaceSize has 4 bytes, in the header 8")]
    public void Struct_Wrong_IsFound(Type declaration, string difference) =>
        Assert.Contains(difference, AbiComparer.Struct(declaration, AbiFacts.CublasLt.Struct("cublasLtMatmulHeuristicResult_t")!));

    private static unsafe class WrongDeclarations
    {
        public static MethodInfo Method(string name) => typeof(WrongDeclarations).GetMethod(name)!;

        public static cudnnStatus_t Right(
            cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType,
            int n, int c, int h, int w) => default;

        public static cudnnStatus_t OneParameterLess(
            cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType,
            int n, int c, int h) => default;

        public static cudnnStatus_t TwoParametersSwapped(
            cudnnTensorDescriptor_t tensorDesc, cudnnDataType_t dataType, cudnnTensorFormat_t format,
            int n, int c, int h, int w) => default;

        public static cudnnStatus_t TwoTypesSwapped(
            cudnnTensorDescriptor_t tensorDesc, cudnnDataType_t format, cudnnTensorFormat_t dataType,
            int n, int c, int h, int w) => default;

        public static cudnnStatus_t OtherHandle(
            cudnnFilterDescriptor_t tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType,
            int n, int c, int h, int w) => default;

        public static cudnnStatus_t WiderInteger(
            cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType,
            int n, int c, int h, long w) => default;

        public static cudnnStatus_t FloatForInteger(
            cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType,
            int n, int c, int h, float w) => default;

        public static cudnnStatus_t PointerForHandle(
            void* tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType, int n, int c, int h, int w) => default;

        public static void NothingReturned(
            cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType, int n, int c, int h, int w)
        {
        }

        public static CUresult SmallerOutParameter(out uint bytes, CUdevice dev)
        {
            bytes = 0;
            return default;
        }
    }

    private enum WrongValue
    {
        CUDNN_TENSOR_NCHW = 0,
        CUDNN_TENSOR_NHWC = 2,
    }

    private enum UnknownName
    {
        CUDNN_TENSOR_NCHW = 0,
        CUDNN_TENSOR_CHWN = 3,
    }

    private enum WrongSize : byte
    {
        CUDNN_TENSOR_NHWC = 1,
    }

#pragma warning disable CS0649 // Only the layout of these structs is looked at.
    private unsafe struct WithoutTail
    {
        public fixed ulong algo[8];
        public nuint workspaceSize;
        public cublasStatus_t state;
        public float wavesCount;
    }

    private unsafe struct FieldsSwapped
    {
        public fixed ulong algo[8];
        public nuint workspaceSize;
        public float wavesCount;
        public cublasStatus_t state;
        public fixed int reserved[4];
    }

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private unsafe struct PackedTight
    {
        public fixed ulong algo[8];
        public nuint workspaceSize;
        public cublasStatus_t state;
        public float wavesCount;
        public fixed int reserved[4];
    }

    [StructLayout(LayoutKind.Explicit)]
    private unsafe struct FieldMoved
    {
        [FieldOffset(0)]
        public fixed ulong algo[8];
        [FieldOffset(64)]
        public nuint workspaceSize;
        [FieldOffset(76)]
        public cublasStatus_t state;
        [FieldOffset(72)]
        public float wavesCount;
        [FieldOffset(80)]
        public fixed int reserved[4];
    }

    private unsafe struct FieldNarrower
    {
        public fixed ulong algo[8];
        public uint workspaceSize;
        public cublasStatus_t state;
        public float wavesCount;
        public fixed int reserved[4];
    }
#pragma warning restore CS0649
}

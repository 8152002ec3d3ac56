namespace NinCudnn.Ptx.Tests.Ptx;

/// <summary>The PTX text is not what the interpreter knows, or running it did something that a GPU would not forgive.</summary>
internal sealed class PtxException(string message) : Exception(message);
